"""The certificate with which `tandem serve --lan` serves the web phone, since browsers give microphones to HTTPS alone.

Nobody has signed it but itself, so each browser asks its person once whether to go on.  It names the address of this
machine in its network, is kept in the data directory with its key, and is made anew when the address is another one
or the end is near.
"""

from __future__ import annotations

import ipaddress
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.errors import ConfigError

__all__ = ["LAN_CERTIFICATE", "keep_certificate"]

LAN_CERTIFICATE: Final = "lan.pem"
"""In the data directory: the certificate and its key."""
_LIFE: Final = timedelta(days=397)
"""Browsers take none that lives longer."""
_NEAR: Final = timedelta(days=30)


def keep_certificate(path: Path, address: str, *, now: datetime | None = None) -> None:
    """See that `path` holds a certificate of an IP address that will be good for a month, with its key.

    now: in UTC.

    Raises:
        ConfigError: it cannot be written.
    """
    now = now or datetime.now(UTC)
    try:
        if not _serves(path, address, now):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, _made(address, now))
    except OSError as error:
        raise ConfigError(str(path), error.strerror or str(error)) from None


def _serves(path: Path, address: str, now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return False
    named = names.get_values_for_type(x509.IPAddress)
    return ipaddress.ip_address(address) in named and certificate.not_valid_after_utc > now + _NEAR


def _made(address: str, now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tandem in this network")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE - timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    written = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + written


def _write(path: Path, pem: bytes) -> None:
    """Put the whole file in place at once, for its owner alone."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".lan-")  # mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    os.replace(draft, path)
