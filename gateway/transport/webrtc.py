"""Browsers' legs between signalling and media: who follows their checks and their handshakes, without sockets.

    row        the switch says what a row shall be, with the terms of a browser instead of an address and keys
    check      STUN for the row's socket: ICE says where media goes
    handshake  DTLS with an address that has passed a check: it makes the row's keys
    row again  with that address and those keys, as any other encrypted leg's

Until then a row has keys that nobody knows and no address, so that nothing is heard in it and nothing sent.  A leg
whose handshake fails, or whose peer is not heard from for 30 s (RFC 7675), is told of once as silent, with the reason.

Who closes its media may say goodbye in DTLS (Chromium does not when a tab is closed).  That takes its consent back at
once (RFC 7675 section 5.2): it is sent nothing more.  Two seconds later the leg is told of, unless a BYE has ended it.
Another fingerprint is another certificate, so another handshake (RFC 8842 section 5.1); until that is done nobody
hears or is heard.

A path dies without a word when a cable is pulled.  Checks come every few seconds, but some of them may be lost, and
audio does not come while somebody is silent on purpose; so whoever has sent no check for ten seconds is doubted, and
is over if three seconds later neither a check nor a packet of audio has come.  Until then another path may take over,
by a nomination that is authentic: of a candidate that was known, or after an ICE restart of one that is new.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from gateway.ice.agent import CONSENT_S, Address, Credentials, IceLite
from gateway.ids import LegId
from gateway.media.commands import RowState, WebRtcPath, WebRtcTerms
from gateway.media.crypto import CryptoPolicy
from gateway.transport.dtls import Certificate, Dtls

__all__ = ["WebRtcLegs"]

_LOCKED_SUITE: Final = "AES_CM_128_HMAC_SHA1_80"
_LOCKED_BYTES: Final = 30
_DTLS_FIRST_BYTES: Final = range(20, 64)
"""RFC 7983 section 7."""
_GOODBYE_S: Final = 2.0
"""How long a BYE may take to overtake the goodbye of the media."""
_STUN_FIRST_BYTES: Final = range(4)
_DOUBT_S: Final = 10.0
"""Browsers check a path every 2.5 to 6 s (RFC 7675 section 5.1)."""
_LEASE_S: Final = 4.0
"""How long checks of a path that works need not be told: of Chromium's, which come every 2.5 s, every second one."""
_ASK_S: Final = 3.0
"""How long after one count of its packets another one tells whether any has come."""


@dataclass(slots=True)
class _Leg:
    row: RowState
    """As the switch said it."""
    ice: IceLite
    dtls: Dtls
    locked: CryptoPolicy
    """What nobody knows."""
    repeat_at: float | None = None
    peer: Address | None = None
    """Who shakes hands."""
    leaves_at: float | None = None
    """When it is told of, since it said goodbye."""
    ask_at: float | None = None
    """When its packets are counted next, since no checks come."""
    counted: int | None = None
    """How many of its packets had come when it was doubted last."""
    over: bool = False
    """It has been told of, for a reason that does not go away."""

    def expects(self, terms: WebRtcTerms) -> bool:
        """Tell whether the handshake is with whom these terms name, in the same roles."""
        return (self.dtls.fingerprints, self.dtls.begins) == (terms.fingerprints, terms.begins)

    def shake_anew(self, dtls: Dtls) -> None:
        """Begin another handshake: what was agreed in the last one is void."""
        self.dtls, self.repeat_at, self.leaves_at = dtls, None, None

    @property
    def path(self) -> WebRtcPath | None:
        """What a process after us goes on with."""
        keys, remote = self.outcome
        return None if keys is None or remote is None else WebRtcPath(remote, keys)

    @property
    def outcome(self) -> tuple[CryptoPolicy | None, Address | None]:
        """The row's keys, and where its media goes: None until both are known, and after a goodbye."""
        heard = self.dtls.keys is not None and not self.dtls.over
        return self.dtls.keys, self.ice.selected if heard else None

    def dressed(self) -> RowState:
        """Return the row as media shall have it."""
        keys, to = self.outcome
        return replace(self.row, webrtc=None, remote=to, remote_rtcp=to, crypto=keys or self.locked)


class WebRtcLegs:
    """All legs of browsers; after each deed send what `transmit` has, set `rows`, and tell of `silent` ones."""

    def __init__(self, certificate: Certificate) -> None:
        self._certificate = certificate
        self._legs: dict[LegId, _Leg] = {}
        self._out: deque[tuple[LegId, Address, bytes]] = deque()
        self._changed: deque[RowState] = deque()
        self._silent: deque[tuple[LegId, str]] = deque()
        self._doubted: deque[LegId] = deque()
        self._inherited: dict[LegId, WebRtcPath] = {}
        self._due: float | None = None
        """No deadline is before it."""

    def __len__(self) -> int:
        return len(self._legs)

    def dress(self, row: RowState, now: float) -> RowState:
        """Return what media is told of a row: another one only for a browser's."""
        if row.webrtc is None:
            return row
        leg = self._legs.get(row.leg)
        if leg is None:
            leg = self._legs[row.leg] = self._begun(row, row.webrtc, now)
            self._wake_at(leg.ice.heard_at + _DOUBT_S)
        if not leg.expects(row.webrtc):
            leg.shake_anew(self._handshake(row.webrtc))
        leg.row = row
        leg.ice.restart(_credentials(row.webrtc))
        self._begin(leg, now)
        return leg.dressed()

    def path(self, leg: LegId) -> WebRtcPath | None:
        """Return what checks and handshake have led to; None if to nothing yet."""
        return self._legs[leg].path if leg in self._legs else None

    def lease(self, name: LegId, to: Address) -> tuple[str, str, float] | None:
        """Return what checks from there are made with, and for how many seconds nobody need tell of them.

        Only of the address where media goes, and only when there is a path: nothing would come of such a check.
        """
        leg = self._legs.get(name)
        if leg is None or leg.over or leg.path is None or leg.path.remote != to or leg.row.webrtc is None:
            return None
        return leg.row.webrtc.ufrag, leg.row.webrtc.password, _LEASE_S

    def inherit(self, leg: LegId, path: WebRtcPath) -> None:
        """Let a leg that is still to be dressed go on where a process before us has left it."""
        self._inherited[leg] = path

    def close(self, leg: LegId) -> None:
        """Forget a leg; one that is no browser's is no error."""
        self._legs.pop(leg, None)
        self._inherited.pop(leg, None)

    def receive(self, name: LegId, source: Address, data: bytes, now: float) -> None:
        """Take what came to the leg's socket and is no media."""
        leg = self._legs.get(name)
        if leg is None or leg.over or not data:
            return
        before = leg.outcome
        if data[0] in _STUN_FIRST_BYTES:
            if (answer := leg.ice.receive(data, source, now)) is not None:
                self._out.append((name, source, answer))
            self._begin(leg, now)
        elif data[0] in _DTLS_FIRST_BYTES and leg.ice.knows(source):
            leg.peer = source
            leg.dtls.receive(data)
            self._shake(leg, now)
            if leg.dtls.over and leg.leaves_at is None:
                leg.leaves_at = now + _GOODBYE_S
                self._wake_at(leg.leaves_at)
        if leg.outcome != before:
            self._changed.append(leg.dressed())

    def transmit(self) -> Iterator[tuple[LegId, Address, bytes]]:
        """Yield datagrams to send from legs' sockets."""
        while self._out:
            yield self._out.popleft()

    def rows(self) -> Iterator[RowState]:
        """Yield rows that have become others than media was told."""
        while self._changed:
            yield self._changed.popleft()

    def silent(self) -> Iterator[tuple[LegId, str]]:
        """Yield legs that will not be heard again, and why."""
        while self._silent:
            yield self._silent.popleft()

    def doubted(self) -> Iterator[LegId]:
        """Yield legs of which `counted` wants to be told how many packets have come."""
        while self._doubted:
            yield self._doubted.popleft()

    def counted(self, name: LegId, n_packets: int, now: float) -> None:
        """Be told how many packets of audio have come for a leg: no more than last time, and it is over."""
        leg = self._legs.get(name)
        if leg is None or leg.over or now < leg.ice.heard_at + _DOUBT_S:
            return
        if leg.counted is not None and n_packets <= leg.counted:
            self._give_up(leg, f"nothing has come from the browser for {now - leg.ice.heard_at:.0f} s")
        leg.counted = n_packets

    def next_deadline(self) -> float | None:
        """Return when to call `deadline_reached`, if nothing comes before."""
        return self._due

    def deadline_reached(self, now: float) -> None:
        """Repeat what may have been lost, and give up on who has left."""
        if self._due is None or now < self._due:
            return
        self._due = None
        for leg in self._legs.values():
            if not leg.over:
                self._look_at(leg, now)

    def _begun(self, row: RowState, terms: WebRtcTerms, now: float) -> _Leg:
        locked = CryptoPolicy(
            _LOCKED_SUITE, secrets.token_bytes(_LOCKED_BYTES), secrets.token_bytes(_LOCKED_BYTES)
        )
        inherited = self._inherited.pop(row.leg, None)
        keys = None if inherited is None else inherited.crypto
        leg = _Leg(row, IceLite(_credentials(terms), now), self._handshake(terms, keys), locked)
        if inherited is not None:
            leg.ice.resume(inherited.remote)
        return leg

    def _handshake(self, terms: WebRtcTerms, keys: CryptoPolicy | None = None) -> Dtls:
        return Dtls(self._certificate, terms.fingerprints, begins=terms.begins, keys=keys)

    def _begin(self, leg: _Leg, now: float) -> None:
        """Begin the handshake if that is for us to do, and it is known with whom."""
        if leg.ice.selected is not None and leg.dtls.begin():
            leg.peer = leg.ice.selected
            self._shake(leg, now)

    def _look_at(self, leg: _Leg, now: float) -> None:
        if now >= leg.ice.expires_at:
            self._give_up(leg, f"the browser has not been heard from for {CONSENT_S:.0f} s")
            return
        if leg.leaves_at is not None and now >= leg.leaves_at:
            self._give_up(leg, "the browser closed its media")
            return
        if leg.repeat_at is not None and now >= leg.repeat_at:
            leg.dtls.repeat()
            self._shake(leg, now)
        elif leg.repeat_at is not None:
            self._wake_at(leg.repeat_at)
        self._wake_at(leg.ice.expires_at if leg.leaves_at is None else leg.leaves_at)
        if leg.path is not None:
            self._doubt(leg, now)

    def _doubt(self, leg: _Leg, now: float) -> None:
        """Have its packets counted, again and again, for as long as no checks come."""
        doubt_at = leg.ice.heard_at + _DOUBT_S
        if now < doubt_at:
            leg.ask_at, leg.counted = doubt_at, None
        elif leg.ask_at is None or now >= leg.ask_at:
            self._doubted.append(leg.row.leg)
            leg.ask_at = now + _ASK_S
        assert leg.ask_at is not None  # it was set just now, or before
        self._wake_at(leg.ask_at)

    def _shake(self, leg: _Leg, now: float) -> None:
        """Send what the handshake has to say, and note when to say it again."""
        assert leg.peer is not None  # only who has been heard is answered
        self._out.extend((leg.row.leg, leg.peer, datagram) for datagram in leg.dtls.transmit())
        repeats_in = leg.dtls.repeats_in()
        leg.repeat_at = None if repeats_in is None else now + repeats_in
        if leg.repeat_at is not None:
            self._wake_at(leg.repeat_at)
        if leg.dtls.failure is not None:
            self._give_up(leg, leg.dtls.failure)

    def _give_up(self, leg: _Leg, reason: str) -> None:
        leg.over = True
        self._silent.append((leg.row.leg, reason))

    def _wake_at(self, when: float) -> None:
        self._due = when if self._due is None else min(self._due, when)


def _credentials(terms: WebRtcTerms) -> Credentials:
    return Credentials(terms.ufrag, terms.password)
