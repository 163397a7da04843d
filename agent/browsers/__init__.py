"""Browsers on this machine: finding one, installing one."""
