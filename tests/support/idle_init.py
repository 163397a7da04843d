"""Process 1 that reaps nothing but the command it starts, as some containers have it.

``python idle_init.py SECONDS COMMAND…``, in a process namespace of its own: runs the command,
sends it SIGTERM after so many seconds, waits for it alone, and prints what is left by then,
one line a process. Exits with the command's code.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path


def left() -> list[str]:
    """Everything in this namespace but process 1, as pid, name and state, zombies too."""
    stats = [path for path in Path("/proc").glob("[0-9]*/stat") if path.parent.name != "1"]
    return [" ".join(stat.read_text().split()[:3]) for stat in stats]


def main() -> int:
    seconds, *command = sys.argv[1:]
    process = subprocess.Popen(command)
    time.sleep(float(seconds))
    process.terminate()
    code = process.wait()
    sys.stdout.write("\n".join(left()))
    return code


if __name__ == "__main__":
    sys.exit(main())
