"""Keys for SRTP in a description: the `a=crypto` lines of RFC 4568 (SDES).

    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31

Each side says the key under which *it* sends; the answer repeats the tag and the suite of the line that it takes.
`RTP/SAVP` wants such a line.  In `RTP/AVP` it is an offer of best effort, as baresip and others make it: an answer
with one of its own means that both encrypt, an answer without that neither does.

What we cannot do makes a line unusable, and the next is looked at: another suite, several keys, keys that packets name
(MKI), a lifetime shorter than a call, packets in the clear, and session parameters that we do not know unless their
name begins with `-` (RFC 4568 section 6.3.7).  Why a line was passed over is said in words, in a refusal or in the
log of the leg.

Our keys come from one secret a leg, so that a later offer or answer of the leg repeats them and the media plane goes
on; each suite has a key of its own.  Nothing here shows a key in its `repr`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.errors import BadMessage
from gateway.sdp.description import Attribute, MediaDescription

__all__ = [
    "ENCRYPTED",
    "SUITES",
    "AgreedCrypto",
    "CryptoLine",
    "LocalCrypto",
    "Srtp",
    "accept_crypto",
    "answered_crypto",
    "crypto_attributes",
    "crypto_refusal",
    "offers_crypto",
    "parse_crypto_untrusted",
    "passed_over",
]

ENCRYPTED: Final = frozenset({"RTP/SAVP", "RTP/SAVPF"})
"""Transports that want an `a=crypto` line."""

_MASTER_BYTES: Final = MappingProxyType(
    {
        "AES_CM_128_HMAC_SHA1_80": 16 + 14,
        "AES_CM_128_HMAC_SHA1_32": 16 + 14,
        "AES_256_CM_HMAC_SHA1_80": 32 + 14,
        "AES_256_CM_HMAC_SHA1_32": 32 + 14,
        "AEAD_AES_128_GCM": 16 + 12,
        "AEAD_AES_256_GCM": 32 + 12,
    }
)
"""Key and salt: RFC 4568 section 6.2, RFC 6188, RFC 7714 section 14."""

SUITES: Final = tuple(_MASTER_BYTES)
"""What we know, in the order in which we offer it."""

_SHORTEST_LIFETIME: Final = 1 << 20
"""Packets: nearly six hours of them, more than any call lasts."""
_NARROWEST_WINDOW: Final = 64
_LINE: Final = re.compile(r"([0-9]{1,9})[ \t]+([A-Za-z0-9_]+)[ \t]+(\S+)((?:[ \t]+\S+)*)[ \t]*")
_KEY: Final = re.compile(
    r"(?i:inline):([A-Za-z0-9+/]+={0,2})(?:\|(2\^[0-9]{1,2}|[0-9]{1,18}))?(\|[0-9]+:[0-9]+)?"
)
_HARMLESS: Final = re.compile(r"KDR=0|WSH=[0-9]{2,9}|-.+")


class Srtp(StrEnum):
    """What a side wants of encryption."""

    OFF = "off"
    """Neither offer it nor take it."""
    ACCEPTED = "accepted"
    """Take it when it is offered."""
    OFFERED = "offered"
    """Offer it too, in a way that the other side may pass over."""
    DEMANDED = "demanded"
    """No media without it."""


@dataclass(frozen=True, slots=True)
class LocalCrypto:
    """Our side of it."""

    policy: Srtp
    secret: bytes = field(repr=False)
    """What our keys are made of: 32 unguessable bytes, the same for a leg's whole life."""
    suites: tuple[str, ...] = SUITES
    """In the order to offer them."""
    fingerprint: str = ""
    """`sha-256 4A:AD...` of the certificate that we show in a handshake (RFC 8122); empty = there is none."""

    def key(self, suite: str) -> bytes:
        """Return our master key and salt for a suite."""
        key = hashlib.blake2b(suite.encode(), key=self.secret, digest_size=_MASTER_BYTES[suite])
        return key.digest()


@dataclass(frozen=True, slots=True)
class CryptoLine:
    """One `a=crypto` line that can be used."""

    tag: int
    suite: str
    key: bytes = field(repr=False)
    """Master key, and its salt behind it."""


@dataclass(frozen=True, slots=True)
class AgreedCrypto:
    """What both sides encrypt with."""

    tag: int
    suite: str
    ours: bytes = field(repr=False)
    theirs: bytes = field(repr=False)


def parse_crypto_untrusted(value: str) -> CryptoLine:
    """Read what follows `a=crypto:`; raises BadMessage, whose text says what we cannot do and never a key."""
    line = _LINE.fullmatch(value)
    if line is None:
        raise BadMessage("a=crypto is not 'tag suite key'")
    tag, suite, keys, parameters = line.groups()
    if suite not in _MASTER_BYTES:
        raise BadMessage(f"a=crypto:{tag}: the suite {suite} is unknown here")
    key = _KEY.fullmatch(keys)
    if key is None:
        raise BadMessage(f"a=crypto:{tag}: not one key by 'inline:'")
    text, lifetime, mki = key.groups()
    if mki is not None:
        raise BadMessage(f"a=crypto:{tag}: keys that packets name (MKI) are not done here")
    if lifetime is not None and _packets(lifetime) < _SHORTEST_LIFETIME:
        raise BadMessage(f"a=crypto:{tag}: a key that lasts {lifetime} packets is outlived by a call")
    for parameter in parameters.split():
        if not _is_harmless(parameter):
            raise BadMessage(f"a=crypto:{tag}: {parameter[:40]} is not done here")
    return CryptoLine(int(tag), suite, _master(tag, suite, text))


def crypto_attributes(local: LocalCrypto) -> tuple[Attribute, ...]:
    """Return the lines of our offer."""
    return tuple(_attribute(tag, suite, local.key(suite)) for tag, suite in enumerate(local.suites, 1))


def offers_crypto(local: LocalCrypto | None, previous: MediaDescription | None) -> bool:
    """Tell whether our offer has `a=crypto`: by policy, or because the session is encrypted already."""
    if local is None or local.policy is Srtp.OFF:
        return False
    if local.policy in {Srtp.OFFERED, Srtp.DEMANDED}:
        return True
    return previous is not None and previous.attribute("crypto") is not None


def crypto_refusal(line: MediaDescription, local: LocalCrypto | None) -> str:
    """Return why a line cannot be used as far as encryption goes; empty if it can."""
    encrypted = line.protocol.upper() in ENCRYPTED
    policy = Srtp.OFF if local is None else local.policy
    if policy is Srtp.OFF:
        words = f"{line.protocol} is encrypted media, which this leg does not do; RTP/AVP would be taken"
        return words if encrypted else ""
    if not (encrypted or policy is Srtp.DEMANDED) or next(_usable(line, local), None) is not None:
        return ""
    reasons = "; ".join(_reasons(line, local)) or "it has no a=crypto line"
    return f"{'encryption is demanded' if policy is Srtp.DEMANDED else line.protocol} and {reasons}"


def passed_over(line: MediaDescription, local: LocalCrypto | None) -> str:
    """Return in words which keys of an offered line are not used here, and why; empty if all could be.

    Keys beside a fingerprint are not meant.
    """
    if line.attribute("crypto") is None or line.attribute("fingerprint") is not None:
        return ""
    if local is None or local.policy is Srtp.OFF:
        return "this leg does no encryption"
    return "; ".join(_reasons(line, local))


def accept_crypto(
    line: MediaDescription, local: LocalCrypto | None
) -> tuple[AgreedCrypto | None, tuple[Attribute, ...]]:
    """Take the first of the offer's keys that we can use; returns what is agreed and our answer's lines."""
    theirs = None if local is None or local.policy is Srtp.OFF else next(_usable(line, local), None)
    if local is None or theirs is None:
        return None, ()
    ours = local.key(theirs.suite)
    agreed = AgreedCrypto(theirs.tag, theirs.suite, ours=ours, theirs=theirs.key)
    return agreed, (_attribute(theirs.tag, theirs.suite, ours),)


def answered_crypto(
    ours: MediaDescription, theirs: MediaDescription, local: LocalCrypto | None
) -> AgreedCrypto | None:
    """Read an answer to our offer `ours`: its key, if it took one of our lines by tag and suite."""
    if local is None:
        return None
    offered = {line.tag: line for line in _read(ours)}
    for line in _read(theirs):
        mine = offered.get(line.tag)
        if mine is not None and mine.suite == line.suite:
            return AgreedCrypto(line.tag, line.suite, ours=mine.key, theirs=line.key)
    return None


def _attribute(tag: int, suite: str, key: bytes) -> Attribute:
    return Attribute("crypto", f"{tag} {suite} inline:{base64.b64encode(key).decode()}")


def _read(line: MediaDescription) -> Iterator[CryptoLine]:
    for value in line.all("crypto"):
        try:
            yield parse_crypto_untrusted(value)
        except BadMessage:
            continue


def _usable(line: MediaDescription, local: LocalCrypto | None) -> Iterator[CryptoLine]:
    """Yield the keys of a line that we can use; with a fingerprint they are not meant (RFC 8827 section 6.5)."""
    if local is not None and line.attribute("fingerprint") is None:
        yield from (each for each in _read(line) if each.suite in local.suites)


def _reasons(line: MediaDescription, local: LocalCrypto | None) -> Iterator[str]:
    if line.attribute("fingerprint") is not None:
        yield "it wants DTLS (a=fingerprint), which this leg does not do"
    for value in line.all("crypto"):
        try:
            suite = parse_crypto_untrusted(value).suite
        except BadMessage as error:
            yield str(error)
        else:
            if local is not None and suite not in local.suites:
                yield f"{suite} is not wanted here"


def _packets(lifetime: str) -> int:
    return 1 << int(lifetime[2:]) if lifetime.startswith("2^") else int(lifetime)


def _is_harmless(parameter: str) -> bool:
    if not _HARMLESS.fullmatch(parameter):
        return False
    return not parameter.startswith("WSH=") or int(parameter[4:]) >= _NARROWEST_WINDOW


def _master(tag: str, suite: str, text: str) -> bytes:
    """Return the bytes of a key; some write it without the `=` at its end."""
    try:
        key = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except binascii.Error as error:
        raise BadMessage(f"a=crypto:{tag}: the key is not base64") from error
    if len(key) != _MASTER_BYTES[suite]:
        raise BadMessage(f"a=crypto:{tag}: a key of {len(key)} bytes, {suite} has {_MASTER_BYTES[suite]}")
    return key
