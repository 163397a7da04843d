"""A service behind the shop that asks a database; it knows nothing of tracing or of the agent.

Prints one JSON line, ``{"inventory": url}``, once it answers.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import sys
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

DATABASE = "stock.db"


def prepare() -> None:
    """Fill the shelf."""
    with contextlib.closing(sqlite3.connect(DATABASE)) as database, database:
        database.execute("CREATE TABLE stock (slug TEXT PRIMARY KEY, available INTEGER NOT NULL)")
        database.execute("INSERT INTO stock VALUES ('mug', 7), ('teapot', 2)")


def stock(request: Request) -> Response:
    """Answer how many pieces there are."""
    with contextlib.closing(sqlite3.connect(DATABASE)) as database:
        cursor = database.cursor()
        cursor.execute("SELECT available FROM stock WHERE slug = ?", (request.path_params["slug"],))
        row = cursor.fetchone()
    if row is None:
        return JSONResponse({"error": "no such product"}, status_code=404)
    return JSONResponse({"available": row[0]})


def main() -> None:
    """Serve on a free port of loopback."""
    prepare()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        sys.stdout.write(json.dumps({"inventory": address}) + "\n")
        sys.stdout.flush()
        application = Starlette(routes=[Route("/stock/{slug}", stock)])
        uvicorn.Server(uvicorn.Config(application, log_level="warning")).run([listening])


if __name__ == "__main__":
    main()
