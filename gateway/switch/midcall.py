"""What may happen to a leg at any time of a call: another offer, a late answer, a digit, a new address.

Each leg answers by itself.  A hold, a codec change or a refresh from one side is settled with that side
alone; the other hears the difference, on hold music, and is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.errors import BadMessage, PeerError
from gateway.ids import CallId
from gateway.media.events import AddressLatched, DigitHeard
from gateway.sip.events import (
    InfoReceived,
    OfferAnswered,
    OfferReceived,
    ReferReceived,
    SessionConfirmed,
    SessionId,
)
from gateway.switch.causes import ENDINGS
from gateway.switch.dtmf import parse_dtmf_info_untrusted
from gateway.switch.keys import press_for, press_tones_for
from gateway.switch.legs import Leg
from gateway.switch.world import CallOver, Happening, World

__all__ = ["MidCall"]

_WAYS: Final = ("rtp", "info", "tones")
"""How a key may come: as an event (RFC 4733), by INFO (RFC 6086), in band (ITU-T Q.23)."""
_SAME_KEY_S: Final = 0.2
"""A digit this soon after the same one that came another way is one key press: some phones send both."""


@dataclass(slots=True)
class MidCall:
    """Deals with everything that does not move the call's story."""

    call: CallId
    world: World
    legs: dict[str, Leg]
    """By session and by row."""
    music: str = "music"
    """What a party hears whom the other one holds."""
    on_digit: Callable[[Leg, str], None] = lambda _leg, _digit: None
    """Told each key that is pressed, once."""
    _digits: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    """The last digit of a leg, by the way it came, and when."""

    def handle(self, happening: Happening) -> None:
        """Do what the happening asks for.

        Raises:
            CallOver: the peer's late answer has no usable media.
        """
        match happening:
            case OfferReceived(session=session, sdp=sdp) if session in self.legs:
                self._offered(self.legs[session], session, sdp)
            case OfferAnswered(session=session, sdp=sdp) if session in self.legs:
                self._answered(self.legs[session], sdp)
            case SessionConfirmed(session=session, sdp=sdp) if session in self.legs:
                if self.legs[session].awaits_answer:
                    self._answered(self.legs[session], sdp)
            case InfoReceived(session=session) if session in self.legs:
                self._info(self.legs[session], happening)
            case DigitHeard(leg=row) if row in self.legs:
                self._heard(self.legs[row], happening)
            case AddressLatched(leg=row, address=(host, port)) if row in self.legs:
                self.world.log.info("leg.latched", call=self.call, leg=row, address=f"{host}:{port}")
                self.legs[row].changed()  # a browser's keys came with it
            case ReferReceived(session=session):
                self.world.signalling.refuse_refer(session, status=491)
            case _:
                pass  # a refused or withdrawn offer leaves everything as it was (RFC 3261 section 14.1)

    def _offered(self, leg: Leg, session: SessionId, sdp: bytes | None) -> None:
        was_held = leg.held
        others = [other.codec for other in self.others(leg)]
        try:
            said = leg.offer() if sdp is None else leg.answer(sdp, like=others[0] if others else None)
        except PeerError as error:
            self.world.log.info("leg.offer_refused", call=self.call, leg=leg.id, reason=str(error))
            self.world.signalling.refuse_offer(session, status=error.status)
            return
        self.world.signalling.accept_offer(session, sdp=said)
        if leg.held != was_held:
            for other in self.others(leg):
                other.listen(self.music if leg.held else None)
            self.world.log.info("leg.held" if leg.held else "leg.resumed", call=self.call, leg=leg.id)

    def others(self, leg: Leg) -> list[Leg]:
        """Return the parties that `leg` talks to."""
        legs = dict.fromkeys(self.legs.values())
        return [
            each for each in legs if each is not leg and each.answered_at is not None and not each.leaving
        ]

    def _answered(self, leg: Leg, sdp: bytes | None) -> None:
        try:
            if sdp is None:
                raise BadMessage("the answer has no session description")
            leg.take_answer(sdp)
        except PeerError as error:
            raise CallOver(replace(ENDINGS["no_media_answer"], text=str(error), by=leg.side)) from error

    def _info(self, leg: Leg, info: InfoReceived) -> None:
        try:
            heard = parse_dtmf_info_untrusted(info.content_type, info.body)
        except BadMessage as error:
            self.world.log.info("dtmf.not_understood", call=self.call, leg=leg.id, reason=str(error))
            return
        if heard is not None and self._digit(leg, *heard, via="info"):
            world = self.world
            press_for(self.others(leg), *heard, media=world.media, signalling=world.signalling)

    def _heard(self, leg: Leg, heard: DigitHeard) -> None:
        """A key came by media; the plane has passed it on as it came."""
        via = "tones" if heard.in_band else "rtp"
        if self._digit(leg, heard.digit, heard.duration_ms, via=via) and heard.in_band:
            press_tones_for(self.others(leg), heard.digit, heard.duration_ms, media=self.world.media)

    def _digit(self, leg: Leg, digit: str, duration_ms: int, *, via: str) -> bool:
        """Tell of a key, unless it was told already when it came another way; returns whether it was news."""
        now = self.world.clock.now()
        twins = [self._digits.pop((leg.id, way), ("", 0.0)) for way in _WAYS if way != via]
        if any(twin == digit and now - when <= _SAME_KEY_S for twin, when in twins):
            return False
        self._digits[leg.id, via] = (digit, now)
        self.world.log.info(
            "dtmf.heard", call=self.call, leg=leg.id, digit=digit, duration_ms=duration_ms, via=via
        )
        self.on_digit(leg, digit)
        return True
