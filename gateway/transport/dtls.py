"""The handshake that makes a browser's keys: DTLS-SRTP (RFC 5764) by OpenSSL, without sockets.

We wait for a browser that chooses who begins, as all of them let us; some other peers want us to begin.

The certificate is made by and for one process; nobody signs it, because its fingerprint in the description, which comes
over the signalling, is what vouches for it.  The peer's certificate is held against the fingerprints of its description
in the same way, and there are no keys for anybody else (RFC 8122, RFC 8827 section 5.6.4).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from gateway.media.crypto import CryptoPolicy

__all__ = ["Certificate", "Dtls"]

_DATAGRAM_BYTES: Final = 1200
"""What fits every path (RFC 8261 section 5)."""
_RECORD_HEADER: Final = 13
_EXPORTER: Final = b"EXTRACTOR-dtls_srtp"
_LIFE: Final = timedelta(days=30)
_PROFILES: Final = {
    b"SRTP_AEAD_AES_128_GCM": ("AEAD_AES_128_GCM", 16, 12),
    b"SRTP_AES128_CM_SHA1_80": ("AES_CM_128_HMAC_SHA1_80", 16, 14),
}
"""By OpenSSL's name: the plane's, and how long key and salt are (RFC 5764 section 4.1.2, RFC 7714 section 14.2)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Ours, with its key."""

    fingerprint: str
    """As `a=fingerprint` says it."""
    _context: SSL.Context = field(repr=False)

    @classmethod
    def made(cls, now: datetime) -> Self:
        """Make one that is good from a day before `now` (in UTC), for peers whose clocks are slow, for a month."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tandem")])
        signed = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + _LIFE)
            .sign(key, hashes.SHA256())
        )
        context = SSL.Context(SSL.DTLS_METHOD)
        context.use_certificate(signed)
        context.use_privatekey(key)
        context.set_tlsext_use_srtp(b":".join(_PROFILES))
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        return cls(_fingerprint(signed, "sha-256"), context)

    def end(self, *, begins: bool) -> SSL.Connection:
        """Return one end of a handshake that shows this certificate: that which begins, or that which waits."""
        connection = SSL.Connection(self._context, None)
        if begins:
            connection.set_connect_state()
        else:
            connection.set_accept_state()
        connection.set_ciphertext_mtu(_DATAGRAM_BYTES)
        return connection


class Dtls:
    """One handshake; give it datagrams, send what `transmit` returns, and look at `keys` and `failure`."""

    def __init__(
        self,
        certificate: Certificate,
        fingerprints: tuple[str, ...],
        *,
        begins: bool = False,
        keys: CryptoPolicy | None = None,
    ) -> None:
        """The peer's certificate must have one of the fingerprints; `begins`: the first word is ours.

        `keys` were made by a process before this one: the handshake is done, and what comes now cannot be read.
        """
        self._connection = certificate.end(begins=begins)
        self._fingerprints = fingerprints
        self._begins = begins
        self._begun = self._elsewhere = keys is not None
        self.keys = keys
        """Once the handshake is done, with whom it should be."""
        self.failure: str | None = None
        """Why there will be no keys, in words."""
        self.over = False
        """The peer has said goodbye under these keys: it hears nothing any more."""

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """With whom it is: the peer's certificate has one of these."""
        return self._fingerprints

    @property
    def begins(self) -> bool:
        """Whether the first word is ours."""
        return self._begins

    def begin(self) -> bool:
        """Say the first word, if it is ours and is not said yet; tell whether it was."""
        if self._begun or not self._begins:
            return False
        self._begun = True
        with suppress(SSL.WantReadError):
            self._connection.do_handshake()
        return True

    def receive(self, datagram: bytes) -> None:
        """Take what the peer sent."""
        if self.failure is not None or self._elsewhere:
            return
        self._connection.bio_write(datagram)
        try:
            if self.keys is None:
                self._connection.do_handshake()
                self._finish()
            else:
                self._connection.recv(_DATAGRAM_BYTES)  # a repetition of its last flight, or its goodbye
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.over = self.keys is not None
        except SSL.Error as error:
            if self.keys is None:
                self.failure = f"the DTLS handshake failed: {error}"

    def transmit(self) -> Iterator[bytes]:
        """Yield what there is to send, whole records in datagrams of at most 1,200 bytes."""
        datagram = b""
        for record in self._records():
            if datagram and len(datagram) + len(record) > _DATAGRAM_BYTES:
                yield datagram
                datagram = b""
            datagram += record
        if datagram:
            yield datagram

    def repeats_in(self) -> float | None:
        """Return in how many seconds `repeat` is due; None = there is nothing to repeat."""
        if self.keys is not None or self.failure is not None:
            return None
        return self._connection.DTLSv1_get_timeout()

    def repeat(self) -> None:
        """Make the last flight again if it is time to: it may have been lost."""
        self._connection.DTLSv1_handle_timeout()

    def _records(self) -> Iterator[bytes]:
        try:
            made = self._connection.bio_read(1 << 16)
        except SSL.WantReadError:
            return
        while made:
            end = _RECORD_HEADER + int.from_bytes(made[11:_RECORD_HEADER], "big")
            yield made[:end]
            made = made[end:]

    def _finish(self) -> None:
        shown = self._connection.get_peer_certificate(as_cryptography=True)
        if shown is None or not self._is_expected(shown):
            self.failure = "the certificate is not the one whose fingerprint the description has"
            return
        profile = _PROFILES.get(self._connection.get_selected_srtp_profile())
        if profile is None:
            self.failure = "the peer takes none of our SRTP profiles"
            return
        self.keys = self._exported(*profile)

    def _is_expected(self, shown: x509.Certificate) -> bool:
        """Compare with every fingerprint, in a time that tells nothing."""
        found = [
            hmac.compare_digest(_fingerprint(shown, each.partition(" ")[0]).upper(), each.upper())
            for each in self._fingerprints
        ]
        return any(found)

    def _exported(self, suite: str, key_bytes: int, salt_bytes: int) -> CryptoPolicy:
        """Return the keys: key of who began and of who waited, then their salts (RFC 5764 section 4.2)."""
        made = self._connection.export_keying_material(_EXPORTER, 2 * (key_bytes + salt_bytes))
        keys, salts = made[: 2 * key_bytes], made[2 * key_bytes :]
        began, waited = keys[:key_bytes] + salts[:salt_bytes], keys[key_bytes:] + salts[salt_bytes:]
        ours, theirs = (began, waited) if self._begins else (waited, began)
        return CryptoPolicy(suite, ours=ours, theirs=theirs)


def _fingerprint(certificate: x509.Certificate, name: str) -> str:
    """Return the fingerprint by a hash of RFC 8122's name, as `a=fingerprint` says it."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    return f"{name} {hashlib.new(name.replace('-', ''), der).digest().hex(':').upper()}"
