"""A browser without a browser: the checks and the handshake that Chromium begins, for tests in virtual time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from gateway.ice.stun import Attribute, Kind, StunMessage, encode

__all__ = ["FakeBrowser", "check"]

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
_TRANSACTION: Final = bytes(range(12))


def check(ufrag: str, password: str, *, nominates: bool = False) -> bytes:
    """Write a check of whoever leads."""
    more = ((int(Attribute.USE_CANDIDATE), b""),) if nominates else ()
    attributes = (
        (int(Attribute.USERNAME), f"{ufrag}:theirs".encode()),
        (int(Attribute.PRIORITY), bytes(4)),
        (int(Attribute.ICE_CONTROLLING), bytes(8)),
        *more,
    )
    return encode(StunMessage(Kind.REQUEST, _TRANSACTION, attributes), password)


class FakeBrowser:
    """The end that begins a handshake, or waits for one, with a certificate of its own."""

    def __init__(self, profiles: bytes = b"SRTP_AES128_CM_SHA1_80", *, begins: bool = True) -> None:
        self._certificate, context = _certified()
        context.set_tlsext_use_srtp(profiles)
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        self._connection = SSL.Connection(context, None)
        if begins:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()
        self._connection.set_ciphertext_mtu(1200)
        self.done = False

    @property
    def fingerprint(self) -> str:
        """What its description says of its certificate."""
        return f"sha-256 {self._certificate.fingerprint(hashes.SHA256()).hex(':').upper()}"

    def flight(self, datagrams: Iterable[bytes] = ()) -> bytes:
        """Take datagrams and return what it has to say then, as one."""
        for datagram in datagrams:
            self._connection.bio_write(datagram)
        try:
            self._connection.do_handshake()
            self.done = True
        except SSL.WantReadError:
            pass
        try:
            return self._connection.bio_read(1 << 16)
        except SSL.WantReadError:
            return b""

    def goodbye(self) -> bytes:
        """Close its media; return what it says then."""
        self._connection.shutdown()
        return self._connection.bio_read(1 << 16)

    def exported(self, n_bytes: int) -> bytes:
        """Return what keys are made of (RFC 5764 section 4.2)."""
        return self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", n_bytes)


def _certified() -> tuple[x509.Certificate, SSL.Context]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "browser")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    context = SSL.Context(SSL.DTLS_METHOD)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    return certificate, context
