# Everything a developer or a build machine runs. `make` alone lists the targets.
#
# All of them but `help`, `lock` and `clean` first make sure of the environment, which
# costs nothing where neither the lock, pyproject.toml nor the folder has changed.

SHELL := /bin/sh
.DEFAULT_GOAL := help

PY := .venv/bin/python
UV := .cache/lock/bin/uv
UV_VERSION := 0.13.9

# The environment's name changes with what it was made from, so that a switched branch, a
# cached copy and a moved folder are all noticed; time stamps would miss the last two.
KEY := $(shell { pwd; cat requirements-dev.lock pyproject.toml; } | cksum | cut -d' ' -f1)
READY := .venv/ready-$(KEY)

PIP := $(PY) -m pip --disable-pip-version-check --no-input install --quiet

.PHONY: help setup demo test slow lint check bench faults soak vendors gallery dashboards lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) \
	  | while IFS='|' read -r name does; do printf '  make %-10s %s\n' "$$name" "$$does"; done

setup: $(READY) ## make .venv from the lock, and find or install a browser
	@$(PY) -m agent.browsers.install

demo: setup ## a shop and the agent walking it
	@.venv/bin/footfall demo

test: setup ## the whole test suite
	$(PY) -m tests.support.install
	$(PY) -m pytest --numprocesses 3 --dist loadfile --durations=30

slow: setup ## the long forms of some tests
	$(PY) -m pytest -m slow

lint: setup ## lint, format and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

check: lint ## the same, import floors and public contract
	$(PY) -m pytest -m "not slow and not server" tests/contract

bench: setup ## cost of a run, beside a bare Playwright loop; kept in tests/bench/last.txt
	$(PY) -m tests.bench

faults: setup ## the fault campaign: each fault many times, as a table
	$(PY) -m tests.faults

soak: setup ## 5,000 runs at full rate, and what grows meanwhile; some 40 minutes
	$(PY) -m tests.soak --runs 5000

vendors: setup ## take the table of analytics vendors anew from its npm package
	$(PY) -m agent.beacons.refresh

gallery: setup ## take the pictures of docs/gallery.md anew
	$(PY) -m tests.gallery.kept

dashboards: setup ## write the dashboards anew from deploy/grafana/source
	$(PY) -m deploy.grafana.source

lock: ## choose newer dependencies and write the lock files
	@test -x $(UV) || { python3 -m venv .cache/lock && \
	  .cache/lock/bin/python -m pip --disable-pip-version-check install --quiet uv==$(UV_VERSION); }
	$(UV) $(LOCK) --output-file requirements.lock pyproject.toml
	$(UV) $(LOCK) --output-file requirements-dev.lock --constraint requirements.lock --group dev \
	  pyproject.toml
	sed -n 's/^requires = \["\(.*\)"\]$$/\1/p' pyproject.toml | $(UV) $(LOCK) \
	  --constraint requirements-dev.lock --output-file requirements-build.lock -

# Configuration of the machine is left out, so that none of it can end up in the files.
LOCK := --no-config --quiet pip compile --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url

clean: ## remove the environment and every cache
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
	find agent tests journeys -name __pycache__ -type d -prune -exec rm -rf {} +

# A Python that pyproject.toml allows. Debian's comes without the part that makes environments.
ALLOWED := import sys; v = sys.version_info[:3]; \
	sys.exit(not (v >= (3, 11) and not (3, 14, 0) <= v <= (3, 14, 6)))

$(READY):
	@if ! $(PY) -c '' 2>/dev/null; then \
	  for python in python3 python3.14 python3.13 python3.12 python3.11 none; do \
	    $$python -c '$(ALLOWED)' 2>/dev/null && break; \
	  done; \
	  if [ $$python = none ]; then \
	    echo 'No usable Python. Install Python 3.11 or newer (not 3.14.0 to 3.14.6), then run make again.' >&2; \
	    exit 1; \
	  fi; \
	  if ! $$python -c 'import ensurepip' 2>/dev/null; then \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	      echo 'Installing the package python3-venv ...'; \
	      apt-get -qq update && \
	      DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends python3-venv >/dev/null; \
	    fi; \
	    $$python -c 'import ensurepip' 2>/dev/null || { \
	      echo "$$python can't make virtual environments. Run 'apt-get install python3-venv' as root, then run make again." >&2; \
	      exit 1; }; \
	  fi; \
	  $$python -m venv --clear .venv; \
	fi
	@echo 'Installing the locked dependencies into .venv ...'
	@rm -f .venv/ready-*
	@$(PIP) --require-hashes --requirement requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
