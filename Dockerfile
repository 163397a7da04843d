# The agent with its browser. Run it with
#   - journeys mounted at /journeys and the configuration at /etc/footfall/config.toml;
#   - a lasting volume at /var/lib/footfall that user 10001 may write to;
#   - time to drain: a stop time-out above the longest journey's timeout and grace.
# The root file system may be read-only where /tmp is a tmpfs: nothing else is written to.
# By digest, so that a build tomorrow starts from what was tried. What Debian has mended since comes
# with a newer one: --build-arg BASE=python:3.11-slim-bookworm takes the latest, and
# `docker buildx imagetools inspect` prints its digest.
ARG BASE=python:3.11.15-slim-bookworm@sha256:d29f48a31a8b408ed19272ca1e7b10ebae13b240a27e862d3d4217c528e2e0c3

FROM ${BASE} AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python3 -m venv /opt/footfall \
 && /opt/footfall/bin/pip install --require-hashes --requirement requirements.lock \
 && python3 -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes --requirement requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY agent agent
COPY journeys journeys
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/footfall/bin/pip install --no-deps --no-index /dist/*.whl \
 && /opt/footfall/bin/pip uninstall --yes pip setuptools

FROM ${BASE}
LABEL org.opencontainers.image.title="Footfall" \
      org.opencontainers.image.description="A production synthetic-monitoring agent" \
      org.opencontainers.image.licenses="Apache-2.0"
# Debian's browser asks for tools of X11 and of desktops, and these for Mesa and LLVM: 200 MB that
# nothing headless runs. An empty package stands in for them, and keeps apt at peace.
# What is left out by path is for debugging Vulkan.
RUN mkdir -p /tmp/headless/DEBIAN \
 && printf '%s\n' 'Package: footfall-headless' 'Version: 1' 'Architecture: all' \
    'Maintainer: Footfall' 'Provides: x11-utils, xdg-utils' \
    'Description: stands in for what a browser without a screen never runs' \
    > /tmp/headless/DEBIAN/control \
 && dpkg-deb --build /tmp/headless /tmp/headless.deb \
 && dpkg --install /tmp/headless.deb \
 && rm -r /tmp/headless /tmp/headless.deb \
 && echo 'path-exclude=/usr/lib/chromium/libVkLayer_khronos_validation.so*' \
    > /etc/dpkg/dpkg.cfg.d/footfall
# Playwright's driver needs libatomic1.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
    chromium-headless-shell fonts-liberation libatomic1 tini \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 footfall \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp \
    --shell /usr/sbin/nologin footfall \
 && install -d -o 10001 -g 10001 /var/lib/footfall \
 && install -d /journeys /etc/footfall
COPY --from=builder /opt/footfall /opt/footfall

# Where things are mounted is settled here, and wins over the configuration file. The port
# too, for the health check's sake: publish it as whichever you like.
ENV PATH=/opt/footfall/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FOOTFALL_JOURNEYS=/journeys \
    FOOTFALL_STATE=/var/lib/footfall \
    FOOTFALL_SERVER__PORT=8080
USER 10001:10001
WORKDIR /var/lib/footfall
VOLUME /var/lib/footfall
EXPOSE 8080

# By http.client, which no proxy variable can lead astray.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python3", "-c", "import http.client, os, sys; agent = http.client.HTTPConnection('127.0.0.1', int(os.environ['FOOTFALL_SERVER__PORT']), timeout=4); agent.request('GET', '/healthz'); sys.exit(agent.getresponse().status != 200)"]

# Without -g: the signal is the agent's alone, whose runs in flight end as they began.
ENTRYPOINT ["tini", "--", "footfall"]
CMD ["run", "--config", "/etc/footfall/config.toml"]
