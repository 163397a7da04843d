"""``python -m agent`` is the same command as ``footfall``."""

from agent.cli import main

if __name__ == "__main__":
    main()
