"""Whom to trust and who to be towards a collector: the files that say so, and what ails them."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.telemetry.delivery.destination import Target


def context_of(target: Target) -> ssl.SSLContext:
    """Return what a target's files come to; without them the system's authorities.

    Raises:
        ValueError: a file can't be used; says which and why.

    """
    for trouble in (
        trouble_with_authorities(target.certificate),
        trouble_with_client(target.client_certificate, target.client_key),
    ):
        if trouble:
            raise ValueError(trouble)
    context = ssl.create_default_context(cafile=target.certificate or None)
    if target.client_certificate:
        context.load_cert_chain(target.client_certificate, target.client_key or None, "")
    return context


def trouble_with_authorities(file: str) -> str:
    """Say why a file of authorities can't be used; "" where it can, or none is named."""
    if not file:
        return ""
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        return f"{file} holds no certificate: give a file in PEM form with the authorities to trust"
    except (OSError, ValueError) as error:
        return _unreadable(file, error)
    return ""


def trouble_with_client(certificate: str, key: str) -> str:
    """Say why a client's certificate and key can't be used; "" where they can, or none is named."""
    if not certificate:
        return f"{key} is a key without a certificate: name the certificate too" if key else ""
    for file in filter(None, (certificate, key)):
        try:
            Path(file).read_bytes()
        except (OSError, ValueError) as error:
            return _unreadable(file, error)
    try:
        # Without a password at hand OpenSSL would ask for it on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key or None, "")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None)
        if reason == "KEY_VALUES_MISMATCH":
            return f"{key or certificate} is not the key of the certificate {certificate}"
        return (
            f"{certificate} and {key or 'the key in it'} can't be used together"
            f"{f' ({reason})' if reason else ''}: give a certificate and its key in PEM form, "
            "the key without a password"
        )
    return ""


def _unreadable(file: str, error: OSError | ValueError) -> str:
    number = getattr(error, "errno", None)
    return f"{file}: {os.strerror(number) if number else error}"
