"""A browser without a browser, over real sockets: it checks, shakes hands, speaks SRTP, and moves to other networks.

    with WireBrowser() as browser:
        ...                                 # a leg whose terms have browser.fingerprint
        browser.find(("127.0.0.1", port), ufrag, password)
        browser.say(packet)
        browser.hear(within_s=1.0)
        browser.move()                      # another socket: what came to the old one is lost

Its session with the leg is one for life: keys, and the sequence that SRTP counts.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from gateway.media.crypto import CryptoPolicy, SrtpEnds
from gateway.testing.fake_browser import FakeBrowser, check

__all__ = ["WireBrowser"]

_HOST: Final = "127.0.0.1"
_PATIENCE_S: Final = 10.0
_CHECKS: Final = 20
"""So many are sent in that time."""
_DATAGRAM: Final = 4096
_STUN: Final = range(4)
_DTLS: Final = range(20, 64)
_MEDIA: Final = range(128, 192)
"""First bytes (RFC 7983 section 7)."""
_SUITE: Final = "AEAD_AES_128_GCM"
"""What Chromium takes of ours."""
_KEY_BYTES, _SALT_BYTES = 16, 12


class WireBrowser:
    """One leg's other end; who is not answered for ten seconds gets a TimeoutError."""

    def __init__(self) -> None:
        self._browser: Final = FakeBrowser(f"SRTP_{_SUITE}".encode())
        self._socket = _bound()
        self.door = (_HOST, 0)
        """Where the leg is."""
        self._check = b""
        self._ends: SrtpEnds | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    @property
    def address(self) -> tuple[str, int]:
        """Where it is now."""
        host, port = self._socket.getsockname()
        return str(host), int(port)

    @property
    def fingerprint(self) -> str:
        """What its description says of its certificate."""
        return self._browser.fingerprint

    @property
    def socket(self) -> socket.socket:
        """What it is connected by, for those who send by themselves."""
        return self._socket

    @property
    def nomination(self) -> bytes:
        """A check that says: here."""
        return self._check

    def find(self, door: tuple[str, int], ufrag: str, password: str) -> None:
        """Check the way to a leg, nominate it, and shake hands there."""
        self.door, self._check = door, check(ufrag, password, nominates=True)
        self._socket.connect(door)
        self.nominate()
        said = self._browser.flight()
        while said:
            self._socket.send(said)
            said = b"" if self._browser.done else self._browser.flight([self._next(_DTLS)])
        self._ends = SrtpEnds(self._keys())

    def nominate(self) -> None:
        """Say where it is, again and again until that is heard, as browsers do: a check may be lost."""
        for _ in range(_CHECKS):
            self._socket.send(self._check)
            with suppress(TimeoutError):
                self._next(_STUN, _PATIENCE_S / _CHECKS)
                return
        raise TimeoutError(f"no check of {_CHECKS} was answered")

    def move(self) -> None:
        """Be in another network from now on, without a word to anybody."""
        self._socket.close()
        self._socket = _bound()
        self._socket.connect(self.door)

    def protect(self, packet: bytes) -> bytes:
        """Return a packet of RTP as it is sent."""
        assert self._ends is not None, "it has shaken no hands"
        return self._ends.protect(packet)

    def say(self, packet: bytes) -> None:
        """Send a packet of RTP."""
        self._socket.send(self.protect(packet))

    def hear(self, *, within_s: float) -> bytes | None:
        """Return the next packet of RTP; None: none has come, or one that cannot be opened."""
        assert self._ends is not None, "it has shaken no hands"
        try:
            return self._ends.open_untrusted(self._next(_MEDIA, within_s))
        except TimeoutError:
            return None

    def _next(self, kind: range, within_s: float = _PATIENCE_S) -> bytes:
        self._socket.settimeout(within_s)
        while (data := self._socket.recv(_DATAGRAM))[0] not in kind:
            pass
        return data

    def _keys(self) -> CryptoPolicy:
        """Return the keys of who began: it sends under the first (RFC 5764 section 4.2)."""
        made = self._browser.exported(2 * (_KEY_BYTES + _SALT_BYTES))
        keys, salts = made[: 2 * _KEY_BYTES], made[2 * _KEY_BYTES :]
        ours, theirs = keys[:_KEY_BYTES] + salts[:_SALT_BYTES], keys[_KEY_BYTES:] + salts[_SALT_BYTES:]
        return CryptoPolicy(_SUITE, ours=ours, theirs=theirs)


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((_HOST, 0))
    return made
