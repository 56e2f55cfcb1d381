"""SRTP for rows of the plane: keys, suites, and the libcrypto that does the arithmetic.

The kernels (`native/srtp/`) need AES and SHA-1 and take them from an OpenSSL that is on the machine anyway: that of
pylibsrtp's wheel if it is installed (pinned there, and the faster one), else the one that Python's own `ssl` links to,
else the system's.  Whichever it is answers known questions before it is used.  Where none does, nothing is encrypted
and signalling neither offers nor takes SRTP: `why_not` says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from gateway import _native
from gateway.errors import LocalError

__all__ = ["SUITES", "CryptoPolicy", "SrtpEnds", "library", "security", "suite_number", "why_not"]

_SUITES: Final = {name: (number, key + salt) for name, number, key, salt in _native.srtp_suites()}
SUITES: Final = tuple(_SUITES)
"""What the kernels speak, as RFC 4568 and RFC 7714 write it."""

_SYSTEM: Final = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib")


@dataclass(frozen=True, slots=True)
class CryptoPolicy:
    """How one leg's packets are encrypted; a master key is the suite's key with its salt behind it."""

    suite: str
    ours: bytes = field(repr=False)
    """Under which we send."""
    theirs: bytes = field(repr=False)
    """Under which the peer sends."""

    def __post_init__(self) -> None:
        """Refuse what no kernel could use.

        Raises:
            LocalError: an unknown suite, or a key that is not as long as the suite's.
        """
        _, n_bytes = _SUITES.get(self.suite, (0, 0))
        if not n_bytes:
            raise LocalError(f"the plane does not speak {self.suite}")
        if {len(self.ours), len(self.theirs)} != {n_bytes}:
            raise LocalError(f"a master key of {self.suite} has {n_bytes} bytes")


def suite_number(suite: str) -> int:
    """Return the kernels' number of a suite in `SUITES`."""
    return _SUITES[suite][0]


class SrtpEnds:
    """Both directions of one phone, for what has no plane; the same kernels."""

    def __init__(self, policy: CryptoPolicy) -> None:
        self._ends = _native.srtp_ends(_found(), suite_number(policy.suite), policy.ours, policy.theirs)

    def protect(self, packet: bytes, *, rtcp: bool = False) -> bytes:
        """Return the packet to send.

        Raises:
            ValueError: it is no RTP (RTCP) of at most 1,500 bytes.
        """
        return _native.srtp_protect(self._ends, packet, rtcp)

    def open_untrusted(self, packet: bytes, *, rtcp: bool = False) -> bytes | None:
        """Return what was sent; None: it is not authentic, or was heard before."""
        return _native.srtp_open(self._ends, packet, rtcp) if len(packet) <= _native.PACKET_BYTES else None


def security(kernel: Any) -> Any:
    """Let a plane encrypt for as long as the returned capsule lives.

    Raises:
        LocalError: no libcrypto will do.
    """
    return _native.security(kernel, _found())


def library() -> str | None:
    """Return the shared library whose libcrypto is used; None if none will do."""
    return _search()[0]


def why_not() -> str | None:
    """Return why nothing can be encrypted, in words; None if it can."""
    found, reasons = _search()
    return None if found else f"SRTP needs OpenSSL's libcrypto: {'; '.join(reasons)}"


def _found() -> str:
    found = library()
    if found is None:
        raise LocalError(why_not() or "")
    return found


@cache
def _search() -> tuple[str | None, tuple[str, ...]]:
    """Return the first library that answers the known questions, and what was wrong with those before it."""
    reasons: list[str] = []
    key = bytes(_SUITES[SUITES[0]][1])
    for path in _candidates():
        try:
            _native.srtp_ends(path, suite_number(SUITES[0]), key, key)
        except OSError as error:
            reasons.append(str(error))
        else:
            return path, tuple(reasons)
    return None, tuple(reasons)


def _candidates() -> Iterator[str]:
    wheel = find_spec("pylibsrtp")
    for folder in (wheel.submodule_search_locations or ()) if wheel is not None else ():
        yield from map(str, sorted(Path(folder).glob("_binding*.so")))
    for name in ("_ssl", "_hashlib"):
        module = find_spec(name)
        if module is not None and module.has_location and module.origin is not None:
            yield module.origin
    yield from _SYSTEM
