"""What a caller hears before anybody has answered (RFC 3960).

A description in *any* provisional response is early media, whatever its status, and a 180 without one ends
none.  Where several branches ring, here or behind a proxy that forked, the first that sends media is heard
until its branch is over; the answer then decides anew.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import PeerError
from gateway.ids import CallId, RoomId
from gateway.sip.events import SessionOffered, SessionProgressed
from gateway.switch.legs import Leg
from gateway.switch.world import World

__all__ = ["EarlyMedia"]

_BRANCH_OVER: Final = 199
"""Early Dialog Terminated (RFC 6228)."""


class EarlyMedia:
    """Passes ringing and early media on to one caller."""

    def __init__(self, call: CallId, room: RoomId, world: World, offered: SessionOffered) -> None:
        self._call: Final = call
        self._room: Final = room
        self._world: Final = world
        self._offered: Final = offered
        self._heard: tuple[Leg, str] | None = None
        """The branch that the caller hears: a leg, and the To-tag of a fork behind it."""
        self._said: set[int] = set()

    def progressed(self, caller: Leg, leg: Leg, progress: SessionProgressed) -> None:
        """Pass on what a branch says: the description decides, not the status."""
        if progress.status == _BRANCH_OVER:
            if self._heard == (leg, progress.branch):
                self.over(leg)
            return
        leg.alerted = True
        if progress.sdp is not None and self._hear(caller, leg, progress.branch, progress.sdp):
            return
        status = 180 if progress.sdp is not None else progress.status
        if status not in self._said:
            self._said.add(status)
            self._world.signalling.ring(self._offered.session, status=status)

    def over(self, leg: Leg) -> None:
        """Let another branch be heard, if it was this one that the caller heard."""
        if self._heard is not None and self._heard[0] is leg:
            self._heard = None
            leg.place(None)

    def _hear(self, caller: Leg, leg: Leg, branch: str, sdp: bytes) -> bool:
        """Bridge early media; False if the caller cannot hear any, or hears another branch's already."""
        if self._offered.sdp is None or self._heard not in (None, (leg, branch)):
            return False
        try:
            leg.take_answer(sdp)
        except PeerError as error:
            self._world.log.info("leg.early_media_refused", call=self._call, leg=leg.id, reason=str(error))
            return False
        self._heard = leg, branch
        leg.place(self._room)
        caller.place(self._room)
        if caller.negotiated is None:
            said = caller.answer(self._offered.sdp, like=leg.codec)
            self._world.signalling.ring(self._offered.session, status=183, sdp=said)
        return True
