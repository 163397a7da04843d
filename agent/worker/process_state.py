"""The settings of a process that Python keeps for all of its code, and putting them back."""

from __future__ import annotations

import gc
import locale
import logging
import os
import random
import signal
import socket
import sys
import time
import warnings
from contextlib import suppress
from typing import Any

_SIGNALS = (signal.SIGALRM, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class ProcessState:
    """How a process stands when this is made.

    What libraries keep for themselves, and what a journey puts in place of their functions,
    is not in it.
    """

    def __init__(self) -> None:
        self._umask = os.umask(0o022)
        os.umask(self._umask)
        self._folder = os.getcwd()  # noqa: PTH109 - what chdir wants back
        self._environ = dict(os.environ)
        self._handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        self._streams = sys.stdout, sys.stderr
        shared: tuple[list[Any], ...] = (sys.argv, sys.meta_path, sys.path, sys.path_hooks)
        self._lists = [(one, list(one)) for one in shared]
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        self._excepthook = sys.excepthook
        self._recursion = sys.getrecursionlimit()
        self._locale = locale.setlocale(locale.LC_ALL)
        self._socket_timeout = socket.getdefaulttimeout()
        self._log = logging.getLogger()
        self._log_state = self._log.level, list(self._log.handlers), self._log.manager.disable

    def restore(self) -> None:
        """Put everything back as it was."""
        os.umask(self._umask)
        with suppress(OSError):
            os.chdir(self._folder)
        if dict(os.environ) != self._environ:
            os.environ.clear()
            os.environ.update(self._environ)
            time.tzset()
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is not handler:
                # One that was set from C is None, and can't be set from here.
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        sys.stdout, sys.stderr = self._streams
        for one, held in self._lists:
            one[:] = held
        self._warnings.__exit__(None, None, None)
        sys.excepthook = self._excepthook
        sys.setrecursionlimit(self._recursion)
        gc.enable()
        random.seed()
        socket.setdefaulttimeout(self._socket_timeout)
        if locale.setlocale(locale.LC_ALL) != self._locale:
            locale.setlocale(locale.LC_ALL, self._locale)
        self._log.level, self._log.handlers[:], self._log.manager.disable = self._log_state
