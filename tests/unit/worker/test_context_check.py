"""What an author gives a browser context is understood before a walk, or told in plain words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import playwright
import pytest
import trustme

from agent.worker import option_values
from agent.worker.browser.launch import driver
from agent.worker.context_check import check_context
from agent.worker.option_values import PERMISSIONS

BUNDLE = Path(playwright.__file__).parent / "driver/package/lib/coreBundle.js"


def fault(folder: Path, **context: object) -> str:
    """The one thing that is wrong, behind the option's name."""
    _, ((name, why),) = check_context(context, folder)
    assert name in context
    return f"{name} {why}"


@pytest.mark.parametrize(
    ("context", "told"),
    [
        (
            {"viewprt": {"width": 1, "height": 1}},
            "viewprt unknown option; did you mean 'viewport'?",
        ),
        ({"colorScheme": "dark"}, "did you mean 'color_scheme'?"),
        ({"ignoreHTTPSErrors": True}, "did you mean 'ignore_https_errors'?"),
        ({"qwertz": 1}, "Playwright has none of this name"),
        ({"device": "iPhone 99"}, "knows no device 'iPhone 99'; did you mean 'iPhone"),
        ({"device": 13}, "must be text, not 13"),
        ({"viewport": (800, 600)}, "must be a table, not a tuple"),
        ({"viewport": {"width": 800}}, "lacks 'height'"),
        ({"viewport": {"width": 800, "hight": 600}}, "did you mean 'height'?"),
        ({"viewport": {"width": 800, "height": "600"}}, "height: must be a whole number, not text"),
        ({"viewport": {"width": 0, "height": 600}}, "must be larger than 0"),
        (
            {"color_scheme": "drak"},
            "must be 'dark', 'light', 'no-preference' or 'null', not 'drak'",
        ),
        ({"device_scale_factor": True}, "must be a number, not True"),
        ({"device_scale_factor": 0}, "must be larger than 0"),
        ({"no_viewport": True, "is_mobile": True}, "is_mobile can't be given together"),
        ({"is_mobile": "yes"}, "must be True or False, not text"),
        ({"locale": "de DE"}, "is no locale"),
        ({"timezone_id": "Mars/Olympus"}, "is not a time zone"),
        ({"permissions": "geolocation"}, "must be a list, not text"),
        ({"permissions": ["geo-location"]}, "did you mean 'geolocation'?"),
        ({"geolocation": {"latitude": 99, "longitude": 1}}, "latitude must be between -90 and 90"),
        ({"geolocation": {"latitude": 9}}, "lacks 'longitude'"),
        ({"extra_http_headers": {"X-A": 1}}, "must be a table of texts"),
        ({"extra_http_headers": {"X A": "1"}}, "'X A' is no name for a header"),
        ({"extra_http_headers": {"X-A": "1\n2"}}, "must be one line"),
        ({"http_credentials": {"username": "me"}}, "needs a username and a password"),
        ({"http_credentials": [{"username": "me", "pasword": "x"}]}, "did you mean 'password'?"),
        ({"proxy": {"bypass": "a"}}, "lacks 'server'"),
        ({"proxy": {"server": "socks5://a:1"}}, "server must begin with http:// or https://"),
        ({"client_certificates": [{"certPath": "a.pem"}]}, "lacks 'origin'"),
        ({"storage_state": {"cookies": [{"name": 1}]}}, "cookies: [0] name: must be text, not 1"),
        ({"storage_state": "missing.json"}, "there is no file"),
        ({"record_har_path": "a.har"}, "is not supported: the agent records a trace"),
        ({"record_video_dir": "videos"}, "is not supported: the agent records a trace"),
        ({"record_video_size": {"width": 1, "height": 1}}, "is not supported"),
        ({"base_url": "http://a"}, "is not supported: paths are relative to the site's url"),
        ({"default_browser_type": "firefox"}, "is not supported: journeys walk in Chromium"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, context, told):
    """By the option, with what was meant, and never with a value that may be a password."""
    assert told in fault(tmp_path, **context)


def test_no_secret_is_repeated(tmp_path):
    """A password in the wrong place is not shown to whoever reads the fault."""
    context = {"http_credentials": "hunter2", "user_agent": ["hunter2"], "proxy": "hunter2"}
    _, wrong = check_context(context, tmp_path)
    assert len(wrong) == 3
    assert "hunter2" not in str(wrong)


def test_what_is_right_passes(tmp_path):
    """Everything that Playwright takes, as plain values; a tuple becomes a list."""
    context = {
        "device": "iPhone 13",
        "viewport": {"width": 800, "height": 600},
        "color_scheme": "dark",
        "locale": "de-DE",
        "timezone_id": "Europe/Berlin",
        "geolocation": {"latitude": 52.5, "longitude": 13, "accuracy": 5},
        "permissions": ("geolocation", "clipboard-read"),
        "extra_http_headers": {"X-A": "1"},
        "http_credentials": {"username": "me", "password": "x", "send": "always"},
        "proxy": {"server": "http://proxy:3128", "bypass": "a.test"},
        "storage_state": {"cookies": [], "origins": []},
        "service_workers": "block",
        "accept_downloads": False,
        "user_agent": None,
        "device_scale_factor": 2,
    }
    options, wrong = check_context(context, tmp_path)
    assert wrong == []
    assert options == json.loads(json.dumps(context))


def test_files_lie_beside_the_journey(tmp_path, monkeypatch):
    """Whichever folder the agent was started in, hidden folders too."""
    monkeypatch.chdir("/")
    (tmp_path / ".auth").mkdir()
    state = tmp_path / ".auth/user.json"
    state.write_text('{"cookies": [], "origins": []}')
    for given in (".auth/user.json", Path(".auth/user.json"), state, str(state)):
        options, wrong = check_context({"storage_state": given}, tmp_path)
        assert (options, wrong) == ({"storage_state": str(state)}, [])


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"cookies": 1}', "[" * 5000])
def test_a_storage_state_that_is_none(tmp_path, text):
    """A file that holds something else is told by its name."""
    (tmp_path / "user.json").write_text(text)
    assert str(tmp_path / "user.json") in fault(tmp_path, storage_state="user.json")


def test_certificates_are_loaded_with_their_keys(tmp_path):
    """One that fits passes, one with another's key doesn't."""
    ca = trustme.CA()
    for name in ("one", "two"):
        issued = ca.issue_cert("client.test")
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
        issued.private_key_pem.write_to_path(tmp_path / f"{name}.key")
    given = {"origin": "https://a", "certPath": "one.pem", "keyPath": "one.key"}
    options, wrong = check_context({"client_certificates": [given]}, tmp_path)
    assert wrong == []
    assert options["client_certificates"][0]["keyPath"] == str(tmp_path / "one.key")
    other = {**given, "keyPath": "two.key"}
    assert "belong together" in fault(tmp_path, client_certificates=[other])
    alone = {"origin": "https://a", "certPath": "one.pem"}
    assert "give certPath and keyPath" in fault(tmp_path, client_certificates=[alone])


def test_permissions_are_those_of_playwright():
    """A new version's are noticed here."""
    text = BUNDLE.read_text("utf-8")
    start = text.index("const webPermissionToProtocol")
    names = re.findall(r'\["([a-z-]+)", ', text[start : text.index("]);", start)])
    assert set(names) == set(PERMISSIONS)


async def test_devices_are_known_beside_a_driver_too(tmp_path):
    """A worker whose driver runs starts all of Playwright's programs through a guard."""
    async with driver():
        option_values._asked_devices.cache_clear()
        assert "knows no device" in fault(tmp_path, device="iPhone 99")
