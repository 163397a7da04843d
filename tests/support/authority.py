"""A certificate authority of a test's own, whose certificates end when the test says."""

from __future__ import annotations

import base64
import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """Issues certificates; ``browser_args`` has a browser trust those issued so far."""

    def __init__(self, file: Path) -> None:
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(str(file))
        self.file = str(file)
        """For Node: ``NODE_EXTRA_CA_CERTS``."""
        self._hashes: list[str] = []

    def context(self, *names: str, begins: float, ends: float) -> ssl.SSLContext:
        """Return what a server of these names needs; times are seconds from now."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._issue(*names, begins=begins, ends=ends).configure_cert(context)
        return context

    def files(self, *names: str, folder: Path) -> tuple[Path, Path]:
        """Write the certificate that a server of these names shows for an hour, and its key."""
        leaf = self._issue(*names, begins=-60, ends=3600)
        chain, key = folder / f"{names[0]}.pem", folder / f"{names[0]}.key"
        chain.write_bytes(b"".join(one.bytes() for one in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(str(key))
        return chain, key

    def _issue(self, *names: str, begins: float, ends: float) -> trustme.LeafCert:
        now = datetime.now(UTC).replace(microsecond=0)
        leaf = self._authority.issue_cert(
            *names,
            not_before=now + timedelta(seconds=begins),
            not_after=now + timedelta(seconds=ends),
        )
        key = load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_key()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._hashes.append(base64.b64encode(hashlib.sha256(der).digest()).decode())
        return leaf

    @property
    def browser_args(self) -> tuple[str, ...]:
        """What Chromium is to be started with."""
        return (f"--ignore-certificate-errors-spki-list={','.join(self._hashes)}",)
