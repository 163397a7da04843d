"""What `deploy/` gives to those who receive the agent's visits does what it says."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import sqlite3

from agent.worker.tagging.identity import user_agent
from tests.support.daemon import until
from tests.support.nginx import Nginx
from tests.support.service import ROOT

DEPLOY = ROOT / "deploy"


def visit(port: int, path: str, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path, headers=headers)
    assert connection.getresponse().status == 204
    connection.close()


async def test_nginx_writes_the_agents_visits_to_a_log_of_their_own():
    """A person's request stands in one log, the agent's in the other, as JSON, and in no other:
    files too, which carry no header but the user agent. No signature stands in either."""
    recipe = (DEPLOY / "nginx.conf").read_text()
    inner = "\n".join(re.findall(r"^#(access_log .*;)$", recipe, re.MULTILINE))
    assert inner.count("access_log") == 2
    async with Nginx(recipe, inner.replace("/var/log/nginx/", "")) as nginx:
        agents = {"User-Agent": f"Mozilla/5.0 {user_agent('Chrome', '1', 'https://a.example')}"}
        signed = {
            **agents,
            "X-Synthetic-Journey": 'buy_"a"_mug',
            "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
            "Signature": "sig1=:c2VjcmV0:",
            "Signature-Input": 'sig1=("@authority");keyid="secret"',
        }
        await asyncio.to_thread(visit, nginx.port, "/person?x=1", {})
        await asyncio.to_thread(visit, nginx.port, "/agent", signed)
        await asyncio.to_thread(visit, nginx.port, "/agent.png", agents)
        await until(lambda: nginx.lines("synthetic.log")[1:], 5, nginx.log.read_text)
        people = [line for line in nginx.lines("access.log") if "/ready" not in line]
        agent, file = nginx.lines("synthetic.log")
    assert len(people) == 1
    assert "GET /person" in people[0]
    told = json.loads(agent)
    assert (told["journey"], told["uri"], told["status"]) == ('buy_"a"_mug', "/agent", 204)
    assert told["traceparent"] == signed["traceparent"]
    assert (json.loads(file)["journey"], json.loads(file)["uri"]) == ("", "/agent.png")
    assert "secret" not in agent
    assert "c2VjcmV0" not in agent


def test_the_view_leaves_synthetic_orders_out():
    """Orders that were there before count as people's, and so do those that say nothing."""
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL)")
        database.execute("INSERT INTO orders (cents) VALUES (100)")
        database.executescript((DEPLOY / "orders.sql").read_text())
        database.execute("INSERT INTO orders (cents) VALUES (20)")
        database.execute("INSERT INTO orders (cents, synthetic) VALUES (3, TRUE)")
        sums = [
            database.execute(f"SELECT SUM(cents) FROM {name}").fetchone()[0]
            for name in ("orders_of_people", "synthetic_orders")
        ]
    database.close()
    assert sums == [120, 3]
