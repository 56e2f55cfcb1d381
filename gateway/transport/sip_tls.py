"""TLS for SIP: our certificate as a server, and whom we trust as a client (RFC 3261 section 26.3, RFC 5922).

TLS 1.2 at least.  A context reads its files once, at the start: a certificate that was renewed is taken up by a
restart of the switch, which calls outlive.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from gateway.errors import ConfigError

__all__ = ["client_context", "server_context"]


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context for tls: and wss: sockets.

    Raises:
        ConfigError: a file cannot be read, is no PEM, or the two do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        words = f"{certificate} and {key} are no certificate and its key (PEM): {error}"
        raise ConfigError("sip.certificate", words) from None
    return context


def client_context(authorities: Path | None) -> ssl.SSLContext:
    """Return the context for connections of ours: the peer's name is checked against its certificate.

    `authorities` is a PEM file of those we trust instead of the machine's.

    Raises:
        ConfigError: the file cannot be read or is no PEM.
    """
    try:
        context = ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError("sip.authorities", f"{authorities} holds no certificates (PEM): {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
