"""Digest access authentication, both halves, as arithmetic: RFC 2617, RFC 7616, RFC 8760.

A challenge carries a *nonce*, and the answer proves knowledge of the password for that nonce, method and URI.
Our nonces validate themselves: they carry the time they were made and a keyed hash over it, so that nothing
is stored for a stranger who never comes back.  They do not bind the source address, because phones roam
between networks in the middle of a call (RFC 7616 section 3.3 leaves that to the server).

Only a nonce that once carried a right answer has a record: the counts (`nc`) already used, kept as a highest
value and a bit window of 32, so that reordering is tolerated and replay is not.  A count that was used
already is treated as *stale*: an honest client tries again with a fresh nonce, a replaying one cannot.

MD5 and SHA-256, `qop=auth` or the older form without qop (then a nonce serves once).  Nothing here knows of
SIP messages; who is asked, when, and what a failure costs is `gateway.sip.authentication`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gateway.errors import BadMessage
from gateway.ids import IdSource

__all__ = [
    "ALGORITHMS",
    "NONCE_LIFE_S",
    "Answer",
    "Challenge",
    "NonceState",
    "Nonces",
    "digest_response",
    "parse_answer_untrusted",
    "parse_challenge_untrusted",
]

NONCE_LIFE_S: Final = 300.0
_WINDOW: Final = 32
_MAX_PARAMETERS: Final = 32
_TOKEN_BYTES: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


ALGORITHMS: Final[Mapping[str, Callable[[str], str]]] = {"MD5": _md5, "SHA-256": _sha256}
"""The hash of each algorithm name that may stand in a challenge (RFC 7616 section 3.3)."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """The value of a WWW-Authenticate or Proxy-Authenticate header (RFC 7616 section 3.3)."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: bool = True
    """Whether `auth` is among the offered qualities of protection."""
    opaque: str | None = None
    stale: bool = False
    """The answer was right but its nonce too old: try again without asking a person."""

    def __str__(self) -> str:
        parts = [f"realm={_quote(self.realm)}", f"nonce={_quote(self.nonce)}"]
        if self.opaque is not None:
            parts.append(f"opaque={_quote(self.opaque)}")
        if self.stale:
            parts.append("stale=true")
        parts.append(f"algorithm={self.algorithm}")
        if self.qop:
            parts.append('qop="auth"')
        return "Digest " + ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Answer:
    """The value of an Authorization or Proxy-Authorization header (RFC 7616 section 3.4)."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    cnonce: str = ""
    nc: int | None = None
    """How often the client has used this nonce; None in the older form without qop."""
    opaque: str | None = None

    def __str__(self) -> str:
        parts = [
            f"username={_quote(self.username)}",
            f"realm={_quote(self.realm)}",
            f"nonce={_quote(self.nonce)}",
            f"uri={_quote(self.uri)}",
            f"response={_quote(self.response)}",
            f"algorithm={self.algorithm}",
        ]
        if self.nc is not None:
            parts += [f"cnonce={_quote(self.cnonce)}", "qop=auth", f"nc={self.nc:08x}"]
        if self.opaque is not None:
            parts.append(f"opaque={_quote(self.opaque)}")
        return "Digest " + ", ".join(parts)


def digest_response(
    *,
    algorithm: str,
    username: str,
    realm: str,
    password: str,
    method: str,
    uri: str,
    nonce: str,
    cnonce: str,
    nc: int | None,
) -> str:
    """Return the hexadecimal response of RFC 7616 section 3.4.1; without `nc`, that of RFC 2069."""
    h = ALGORITHMS[algorithm]
    ha1 = h(f"{username}:{realm}:{password}")
    ha2 = h(f"{method}:{uri}")
    if nc is None:
        return h(f"{ha1}:{nonce}:{ha2}")
    return h(f"{ha1}:{nonce}:{nc:08x}:{cnonce}:auth:{ha2}")


def parse_challenge_untrusted(text: str) -> Challenge:
    """Read one challenge.  Raises only `BadMessage`: not Digest, no realm or nonce, an unknown algorithm."""
    parameters = _parse_parameters_untrusted(text)
    qualities = [quality.strip().lower() for quality in parameters.get("qop", "").split(",")]
    if "qop" in parameters and "auth" not in qualities:
        raise BadMessage("the challenge offers no qop that we speak")
    return Challenge(
        realm=_required(parameters, "realm"),
        nonce=_required(parameters, "nonce"),
        algorithm=_algorithm(parameters),
        qop="qop" in parameters,
        opaque=parameters.get("opaque"),
        stale=parameters.get("stale", "").lower() == "true",
    )


def parse_answer_untrusted(text: str) -> Answer:
    """Read one set of credentials.

    Raises only `BadMessage`; quoted and bare `nc`, `qop` are both accepted.
    """
    parameters = _parse_parameters_untrusted(text)
    qop = parameters.get("qop")
    if qop is not None and qop.lower() != "auth":
        raise BadMessage("the credentials use a qop that was not offered")
    return Answer(
        username=_required(parameters, "username"),
        realm=_required(parameters, "realm"),
        nonce=_required(parameters, "nonce"),
        uri=_required(parameters, "uri"),
        response=_required(parameters, "response").lower(),
        algorithm=_algorithm(parameters),
        cnonce=_required(parameters, "cnonce") if qop is not None else "",
        nc=_count(_required(parameters, "nc")) if qop is not None else None,
        opaque=parameters.get("opaque"),
    )


class NonceState(Enum):
    """What a nonce that came back is worth."""

    GOOD = "good"
    STALE = "stale"
    FOREIGN = "foreign"


class Nonces:
    """Make nonces and judge them when they come back.

    Memory: one record for each nonce that carried a right answer, for at most `NONCE_LIFE_S`; `limit` caps
    them, and beyond it the oldest is forgotten together with the right to use its nonce again.
    """

    def __init__(self, ids: IdSource, *, life_s: float = NONCE_LIFE_S, limit: int = 50_000) -> None:
        self._secret = bytes.fromhex(ids.token(32))
        self._ids = ids
        self._life_s = life_s
        self._limit = limit
        self._used: dict[str, tuple[int, int]] = {}
        self._forgotten_before_ms = -1

    def make(self, realm: str, now: float) -> str:
        """Return a fresh nonce for `realm`, good for the configured life."""
        stamp = f"{int(now * 1000):x}.{self._ids.token(6)}"
        return f"{stamp}.{self._seal(stamp, realm)}"

    def judge(self, nonce: str, realm: str, now: float) -> NonceState:
        """Say whether we made `nonce` for `realm` and whether it still lives; counts are not looked at."""
        stamp, _, seal = nonce.rpartition(".")
        expected = self._seal(stamp, realm).encode()
        if not hmac.compare_digest(seal.encode("utf-8", "surrogateescape"), expected):
            return NonceState.FOREIGN
        made_ms = int(stamp.split(".")[0], 16)
        too_old = now * 1000 - made_ms > self._life_s * 1000 or made_ms <= self._forgotten_before_ms
        return NonceState.STALE if too_old else NonceState.GOOD

    def use(self, nonce: str, nc: int | None, now: float) -> bool:
        """Spend count `nc` of a nonce judged GOOD, after its answer proved right.

        False if it was spent before.
        """
        highest, window = self._used.get(nonce, (-1, 0))
        count = 0 if nc is None else nc
        if nonce in self._used and nc is None:
            return False
        if count > highest:
            shift = count - highest
            window = ((window << shift) | 1) & ((1 << _WINDOW) - 1) if shift < _WINDOW else 1
            highest = count
        else:
            bit = 1 << (highest - count)
            if highest - count >= _WINDOW or window & bit:
                return False
            window |= bit
        self._used[nonce] = (highest, window)
        self._prune(now)
        return True

    def __len__(self) -> int:
        """Return how many nonces have a record."""
        return len(self._used)

    def _seal(self, stamp: str, realm: str) -> str:
        text = f"{stamp}\0{realm}".encode("utf-8", "surrogateescape")
        return hmac.digest(self._secret, text, "sha256")[:12].hex()

    def _prune(self, now: float) -> None:
        # Records are in order of first use, which is close to the order of age: look at the front only.
        while self._used:
            oldest = next(iter(self._used))
            made_ms = int(oldest.split(".")[0], 16)
            expired = now * 1000 - made_ms > self._life_s * 1000
            if not expired and len(self._used) <= self._limit:
                return
            if not expired:
                self._forgotten_before_ms = max(self._forgotten_before_ms, made_ms)
            del self._used[oldest]


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _required(parameters: Mapping[str, str], name: str) -> str:
    value = parameters.get(name)
    if value is None:
        raise BadMessage(f"Digest without {name}")
    return value


def _algorithm(parameters: Mapping[str, str]) -> str:
    name = parameters.get("algorithm", "MD5").upper()
    if name not in ALGORITHMS:
        raise BadMessage("Digest with an algorithm that we do not speak")
    return name


def _count(text: str) -> int:
    if len(text) != 8 or any(character not in "0123456789abcdefABCDEF" for character in text):
        raise BadMessage("nc is not eight hexadecimal digits")
    return int(text, 16)


def _parse_parameters_untrusted(text: str) -> dict[str, str]:
    """Read `Digest name=value, name="quoted value", ...` in one linear pass; a repeated name is an error."""
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != "digest":
        raise BadMessage("not Digest authentication")
    parameters: dict[str, str] = {}
    at = 0
    while at < len(rest):
        if rest[at] in " \t\r\n,":
            at += 1
            continue
        name, value, at = _parse_parameter_untrusted(rest, at)
        if name in parameters or len(parameters) >= _MAX_PARAMETERS:
            raise BadMessage("Digest parameters repeat or are too many")
        parameters[name] = value
    return parameters


def _parse_parameter_untrusted(text: str, at: int) -> tuple[str, str, int]:
    equals = text.find("=", at)
    if equals < 0:
        raise BadMessage("a Digest parameter without a value")
    name = text[at:equals].strip()
    if not name or any(character not in _TOKEN_BYTES for character in name):
        raise BadMessage("a Digest parameter's name is not a token")
    at = equals + 1
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    if at < len(text) and text[at] == '"':
        value, at = _parse_quoted_untrusted(text, at + 1)
        return name.lower(), value, at
    end = text.find(",", at)
    end = len(text) if end < 0 else end
    return name.lower(), text[at:end].strip(), end


def _parse_quoted_untrusted(text: str, at: int) -> tuple[str, int]:
    end = text.find('"', at)
    if end >= 0 and text.find("\\", at, end) < 0:
        return text[at:end], end + 1
    characters: list[str] = []
    while at < len(text):
        character = text[at]
        if character == '"':
            return "".join(characters), at + 1
        if character == "\\":
            at += 1
            if at >= len(text):
                break
            character = text[at]
        characters.append(character)
        at += 1
    raise BadMessage("a quoted Digest parameter does not end")
