"""Process 1 that reaps nothing but the command it starts, as some containers have it.

``python idle_init.py SECONDS LINE COMMAND…``, in a process namespace of its own: runs the command,
sends it SIGTERM so many seconds after it has said a line on standard error that holds this text,
waits for it alone, and prints what is left by then, one line a process. Exits with the command's
code; what the command says goes on to standard error.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path


def left() -> list[str]:
    """Everything in this namespace but process 1, as pid, name and state, zombies too."""
    stats = [path for path in Path("/proc").glob("[0-9]*/stat") if path.parent.name != "1"]
    return [" ".join(stat.read_text().split()[:3]) for stat in stats]


def main() -> int:
    seconds, line, *command = sys.argv[1:]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    said = process.stderr
    while (text := said.readline()) and line not in text:
        sys.stderr.write(text)
    sys.stderr.write(text)
    # So that it can go on to speak.
    hearing = threading.Thread(target=lambda: sys.stderr.writelines(said))
    hearing.start()
    time.sleep(float(seconds))
    process.terminate()
    code = process.wait()
    sys.stdout.write("\n".join(left()))
    sys.stdout.flush()
    hearing.join()
    return code


if __name__ == "__main__":
    sys.exit(main())
