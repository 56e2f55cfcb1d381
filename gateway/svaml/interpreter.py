"""SVAML's way of steering calls: the `Steering` that the switch is given.

It understands what applications and the API say at each moment of a call, has it done (`performing`), asks when the
wire format says so (`asking`), and composes the last notification, which the switch writes down with the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.svaml import events
from gateway.svaml.asking import Asking, is_url, script_of, wants
from gateway.svaml.model import Document, Hangup, Moment
from gateway.svaml.parse import parse
from gateway.svaml.performing import Performance
from gateway.switch.records import CallRecord, Notification
from gateway.switch.steering import Callout, SteeredCall
from gateway.switch.stores import Directory

__all__ = ["Interpreter"]


class Interpreter:
    """`gateway.switch.steering.Steering`."""

    def __init__(self, asking: Asking, directory: Directory) -> None:
        self._asking: Final = asking
        self._directory: Final = directory

    async def steer(self, call: SteeredCall) -> None:
        """Live a call."""
        await Performance(call, self._asking, self._directory).run()

    async def resume(self, call: SteeredCall) -> None:
        """Live a call on that is in a conversation."""
        await Performance(call, self._asking, self._directory).resume()

    def read_order(self, call: SteeredCall, document: bytes) -> Document | None:
        """Understand a request about a call; None if it only wants the end.

        Raises:
            SvamlError: it cannot be obeyed in the state that the call is in.
        """
        understood = parse(document, moment=_moment_of(call)).document
        ends = isinstance(understood.action, Hangup) and not understood.instructions
        return None if ends else understood

    def last_words(self, record: CallRecord, callout: Callout | None) -> Sequence[Notification]:
        """Return the DiCE of a call that is over, if anybody is to be told."""
        script = script_of(callout, "dice")
        url = script if is_url(script) else None
        reachable = url is not None if script else self._has_url(record)
        if not (reachable and record.callbacks and wants("dice", callout)):
            return ()
        assert record.ended_at is not None  # it is over
        return (
            Notification(
                id=f"dice-{record.call}",
                call=record.call,
                application=record.application,
                event="dice",
                body=events.encoded(events.dice(record)),
                created_at=record.ended_at,
                url=url,
                headers=() if callout is None else callout.forwarded,
                next_at=record.ended_at,
            ),
        )

    def _has_url(self, record: CallRecord) -> bool:
        application = self._directory.application(record.application)
        return application is not None and application.callback is not None


def _moment_of(call: SteeredCall) -> Moment:
    if call.parked:
        return Moment.MANAGE_PARKED
    return Moment.MANAGE_CONFERENCE if call.conferring else Moment.MANAGE
