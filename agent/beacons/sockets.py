"""Stopping the WebSockets by which vendors record visits.

Their handshakes can't be held: ``Fetch`` doesn't see them, and ``Network.setBlockedURLs`` lets
them pass. So what opens them is replaced in every document. To a vendor's host a socket of the
browser's own is made, with a port to which browsers never connect: it fails at once, as if a
blocker had stopped it, and nothing leaves. Workers open sockets of their own, which can't be
stopped so: the audit tells them as escaped.
"""

from __future__ import annotations

import json
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
  const original = window.WebSocket;
  window.WebSocket = new Proxy(original, {{
    construct: (target, given, made) =>
      Reflect.construct(target, given.map((one, at) => at ? one : redirected(one)), made),
  }});
  original.prototype.constructor = window.WebSocket;
}})();"""
