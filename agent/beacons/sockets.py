"""Stopping the WebSockets by which vendors record visits.

Their handshakes can't be held: ``Fetch`` doesn't see them, and ``Network.setBlockedURLs`` lets
them pass. So what opens them is replaced in every document. To a vendor's host a socket of the
browser's own is made, with a port to which browsers never connect: it fails at once, as if a
blocker had stopped it, and nothing leaves. A page whose Content-Security-Policy names the vendor
doesn't name that port: of such a refusal the page is told as of any failure, and its report is
held (``reported``). Workers open sockets of their own, which can't be
stopped so: the audit tells them as escaped.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from agent.beacons.vendors import hosts
from agent.core.origins import DEFAULT_PORTS, bracketed, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.core.origins import Origin

_NOWHERE = 1
"""A "bad port" of the Fetch standard: sockets to it fail before a name is even looked up."""

_PORTS = json.dumps({f"{scheme}:": str(port) for scheme, port in DEFAULT_PORTS.items()})

_REFUSED = re.compile(r"Connecting to '(wss?://[^']{1,4000})' violates the following Content Sec")
"""What a browser's console says of a socket that a page's policy doesn't allow."""

COVERS = f"""({{ protocol, hostname, port }}, own) => {{
    protocol = protocol.replace("ws", "http");
    port ||= {_PORTS}[protocol];
    return own.some(([scheme, host, number]) => scheme === protocol && number === port &&
      (host.startsWith("*.") ? hostname.endsWith(host.slice(1)) : host === hostname));
  }}"""
"""Whether an address, or a document's location, is one of the ``own`` origins (``in_script``)."""


def in_script(origins: Iterable[Origin]) -> list[list[str]]:
    """Return origins as ``COVERS`` takes them."""
    return [[f"{one.scheme}:", bracketed(one.host), str(one.port)] for one in origins]


@lru_cache(maxsize=16)
def script(vendors: frozenset[str], own: tuple[Origin, ...]) -> str:
    """Return what each document is to run first; empty where nothing is to be stopped.

    ``vendors`` names those whose sockets are stopped; ``own`` are let be.
    """
    verdicts = {_key(host): vendor.name in vendors for host, vendor in hosts()}
    # Those that aren't stopped matter only below a wildcard that is.
    listed = [
        key if stops else f"!{key}"
        for key, stops in verdicts.items()
        if stops or any(verdicts.get(above) for above in _above(key))
    ]
    return _script(listed, in_script(own)) if any(verdicts.values()) else ""


def stopped(url: str) -> str | None:
    """Return what a socket was to reach that the script stopped; None: it wasn't stopped."""
    parts = parse(url)
    if parts.port != _NOWHERE:
        return None
    return url.replace(f":{_NOWHERE}", "", 1)


def reported(body: bytes | None) -> bool:
    """Whether a CSP report is about an address that only the script put there."""
    try:
        report = json.loads(body or b"")["csp-report"]
        return stopped(report["blocked-uri"]) is not None
    except (KeyError, TypeError, ValueError):
        return False


def refused(line: str) -> str | None:
    """Return the address that the script put there and of which a console line complains."""
    found = _REFUSED.match(line)
    return found[1] if found and stopped(found[1]) else None


def _key(host: str) -> str:
    return host.removeprefix("*.") if host.startswith("*.") else f"={host}"


def _above(key: str) -> list[str]:
    labels = key.removeprefix("=").split(".")
    first = 0 if key.startswith("=") else 1
    return [".".join(labels[cut:]) for cut in range(first, len(labels))]


def _script(listed: list[str], own: list[list[str]]) -> str:
    return f"""(() => {{
  const covers = {COVERS};
  let known;
  const stops = (host) => {{
    known ??= new Map({json.dumps(" ".join(listed))}.split(" ").map((one) =>
      one[0] === "!" ? [one.slice(1), false] : [one, true]));
    const names = [`=${{host}}`];
    for (let rest = host; rest; rest = rest.split(".").slice(1).join(".")) names.push(rest);
    return known.get(names.find((name) => known.has(name))) === true;
  }};
  const redirected = (address) => {{
    try {{
      const url = new URL(address, document.baseURI);
      const host = url.hostname.replace(/\\.$/, "");
      if (!stops(host) || covers(url, {json.dumps(own)})) return address;
      url.protocol = url.protocol.replace("http", "ws");
      url.port = "{_NOWHERE}";
      return url.href;
    }} catch {{
      return address; // the browser's own error says what is wrong with it
    }}
  }};
  const original = window.WebSocket, later = setTimeout;
  window.WebSocket = new Proxy(original, {{
    construct: (target, given, made) => {{
      const [address, ...more] = given, instead = given.length ? redirected(address) : address;
      const socket = Reflect.construct(target, given.length ? [instead, ...more] : [], made);
      // The page's policy refused it at once: an error came, and a failure ends with a close.
      if (instead !== address && socket.readyState === 3)
        later(() => socket.dispatchEvent(new CloseEvent("close", {{ code: 1006 }})));
      return socket;
    }},
  }});
  window.addEventListener?.("securitypolicyviolation", (event) => {{
    if (/^wss?:\\/\\/[^/?]*:{_NOWHERE}(?:[/?]|$)/.test(event.blockedURI))
      event.stopImmediatePropagation();
  }}, true);
  original.prototype.constructor = window.WebSocket;
}})();"""
