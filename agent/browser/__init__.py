"""The browser: finding one, starting it so that it dies with us, reading what it saw."""
