"""Serves the prepared shop on a free loopback port, and says on stdout where."""

import json
import os

import waitress
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application


def main() -> None:
    """Serve until a signal."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    application = StaticFilesHandler(get_wsgi_application())
    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=8)
    print(json.dumps({"shop": f"http://127.0.0.1:{server.effective_port}"}), flush=True)  # noqa: T201
    server.run()


main()
