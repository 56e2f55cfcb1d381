"""The bench of the media plane (`plane_bench`) with phones that speak SRTP.

    bench = SecureBench()
    a = bench.secure_leg("a")           # its packets are protected on the wire, both ways
    a.say(speech)

A phone of the bench says and hears plain packets; between it and the plane they are protected, and what the plane
sent to it and cannot be opened is in `unreadable`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.ids import LegId
from gateway.media.crypto import CryptoPolicy, SrtpEnds
from gateway.testing.plane_bench import Address, BenchLeg, PlaneBench

__all__ = ["SecureBench", "master", "phone_of", "policy"]

_MASTER_BYTES: Final = {"AES_256": 46, "AEAD_AES_128": 28, "AEAD_AES_256": 44}


def master(suite: str, seed: int) -> bytes:
    """Return a master key with its salt, the same for the same seed."""
    n_bytes = next((n for prefix, n in _MASTER_BYTES.items() if suite.startswith(prefix)), 30)
    return np.random.default_rng(seed).bytes(n_bytes)


def policy(suite: str = "AES_CM_128_HMAC_SHA1_80", *, ours: int = 1, theirs: int = 2) -> CryptoPolicy:
    """Return the keys of a leg, made of two seeds."""
    return CryptoPolicy(suite, master(suite, ours), master(suite, theirs))


def phone_of(crypto: CryptoPolicy) -> SrtpEnds:
    """Return the other end of a leg with these keys."""
    return SrtpEnds(CryptoPolicy(crypto.suite, ours=crypto.theirs, theirs=crypto.ours))


class SecureBench(PlaneBench):
    """A bench whose legs may have SRTP; see the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.phones: dict[LegId, SrtpEnds] = {}
        self.unreadable: list[bytes] = []
        """What the plane sent to a phone with SRTP that it could not open."""
        self.wire: list[tuple[LegId, bytes]] = []
        """What the plane sent to phones with SRTP, as it was on the wire."""

    def secure_leg(self, name: str, suite: str = "AES_CM_128_HMAC_SHA1_80", **how: Any) -> BenchLeg:
        """Open a row with SRTP, and its phone; `how` is `leg`'s."""
        number = 2 * len(self.legs)
        crypto = policy(suite, ours=number + 1, theirs=number + 2)
        leg = self.leg(name, crypto=crypto, **how)
        self.phones[leg.state.leg] = phone_of(crypto)
        return leg

    def rekey(self, leg: BenchLeg, crypto: CryptoPolicy, *, phone: bool = True) -> None:
        """Give a leg other keys, and its phone (else it goes on with the old ones)."""
        self.change(leg, crypto=crypto)
        if phone:
            self.phones[leg.state.leg] = phone_of(crypto)

    def post(self, at: float, leg: BenchLeg, data: bytes, source: Address, *, rtcp: bool = False) -> None:
        """Let a packet of a phone reach the plane at `at`, protected as it was agreed when it was said."""
        phone = self.phones.get(leg.state.leg)
        self.post_raw(at, leg, data if phone is None else phone.protect(data, rtcp=rtcp), source, rtcp=rtcp)

    def post_raw(self, at: float, leg: BenchLeg, data: bytes, source: Address, *, rtcp: bool = False) -> None:
        """Let anybody's bytes reach the plane at `at`."""
        super().post(at, leg, data, source, rtcp=rtcp)

    def _deliver(self, sends: NDArray[Any], *, rtcp: bool) -> None:
        for send in sends:
            name = next(leg.state.leg for leg in self.legs.values() if leg.row == send["row"])
            phone = self.phones.get(name)
            if phone is None:
                super()._deliver(send[None], rtcp=rtcp)
                continue
            data = send["data"][: send["bytes"]].tobytes()
            self.wire.append((name, data))
            plain = phone.open_untrusted(data, rtcp=rtcp)
            if plain is None:
                self.unreadable.append(data)
                continue
            opened = send[None].copy()
            opened["data"][0, : len(plain)] = np.frombuffer(plain, np.uint8)
            opened["bytes"] = len(plain)
            super()._deliver(opened, rtcp=rtcp)
