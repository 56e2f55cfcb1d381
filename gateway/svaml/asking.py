"""Asking the application: ICE, ACE and PIE, where each question goes, and what holds when nobody answers.

    event  answered by                                        no URL at all      nobody answers
    ICE    the callout's own document or URL, or the          as dialled         an error prompt, and the end:
           application                                                           CALLBACKERROR
    ACE    likewise; not of calls to users, nor unwanted      goes on            goes on
    PIE    likewise                                           the call ends      the end: CALLBACKERROR

An answer that is no document (or one that the moment does not allow) is a failed delivery too, but one that somebody
has to mend: the application gets a `callingerror` 40001 that says where and why, and the call ends.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from gateway.clock import Clock
from gateway.errors import Overload
from gateway.ids import IdSource
from gateway.svaml import events
from gateway.svaml.errors import SvamlError
from gateway.svaml.events import AmdResult, Body, MenuResult, NotifyType
from gateway.svaml.model import Continue, Document, Moment
from gateway.svaml.parse import parse
from gateway.svaml.ports import Backend, CallbackFailed, NoCallback
from gateway.switch.prompts import ERROR
from gateway.switch.records import Identity, IdentityType, Notification
from gateway.switch.steering import Callout, CalloutKind, Pairs, SteeredCall
from gateway.switch.stores import Outbox

__all__ = ["Asking", "Urls", "is_url", "script_of", "wants"]

_URL: Final = ("http://", "https://")
_GO_ON: Final = Document((), Continue())
_DATA: Final = "mxp"
"""The domain of calls to users of the application."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where calls can be managed, and recordings fetched."""

    base: str
    """Of the API, without a slash at its end."""

    def of(self, call: str) -> str:
        """Return the URL of one call."""
        return f"{self.base}/calling/v1/calls/id/{call}"

    def of_recording(self, key: str) -> str:
        """Return the URL of a recording that is kept here."""
        return f"{self.base}/calling/v1/recording/{key}"


def is_url(script: str) -> bool:
    """Tell whether a callout's script is a URL and no document."""
    return script.strip().lower().startswith(_URL)


def script_of(callout: Callout | None, event: str) -> str:
    """Return what a custom callout gave for an event: a URL, a document, or ""."""
    return "" if callout is None else callout.scripts.get(event, "")


def wants(event: str, callout: Callout | None) -> bool:
    """Tell whether an event of a call is to be told: all of calls that came in, of callouts what was asked for."""
    if callout is None or callout.kind is CalloutKind.CUSTOM:
        return True
    return event in callout.tells and not _is_user(callout.to)


class Asking:
    """Asks about one call after another; keeps nothing of them."""

    def __init__(self, backend: Backend, outbox: Outbox, clock: Clock, ids: IdSource, urls: Urls) -> None:
        self._backend: Final = backend
        self._outbox: Final = outbox
        self._clock: Final = clock
        self._ids: Final = ids
        self._urls: Final = urls

    async def ice(self, call: SteeredCall) -> Document | None:
        """Ask what an incoming call shall do; None = there is nobody to ask."""
        body = events.ice(
            call.record,
            at=self._clock.wall(),
            resource_url=self._urls.of(call.record.call),
            rdnis=call.diverted_by,
        )
        try:
            return await self._answer(call, Moment.ICE, body)
        except CallbackFailed:
            await call.play((ERROR,))
            call.fail("callback_failed")

    async def ace(self, call: SteeredCall, amd: AmdResult | None = None) -> Document:
        """Tell that somebody has answered, and who it seems to be; return what is to be done."""
        if not _wants_ace(call):
            return _GO_ON
        body = events.ace(call.record, at=self._clock.wall(), amd=amd)
        try:
            document = await self._answer(call, Moment.ACE, body)
        except CallbackFailed:
            return _GO_ON
        return document or _GO_ON

    async def pie(self, call: SteeredCall, result: MenuResult) -> Document:
        """Tell what a menu has brought, and return what is to be done; without an answer the call ends."""
        if not wants("pie", call.callout):
            call.hang_up()
        try:
            document = await self._answer(call, Moment.PIE, self._pie(call, result))
        except CallbackFailed:
            call.fail("callback_failed")
        if document is None:
            call.hang_up()
        return document

    async def left(self, call: SteeredCall, result: MenuResult) -> None:
        """Tell that somebody has hung up in a menu: nothing is to be done any more, so it goes by the outbox."""
        script = script_of(call.callout, "pie")
        url = script if is_url(script) else None
        reachable = url is not None if script else call.application.callback is not None
        if reachable and wants("pie", call.callout):
            told = self._notification(call, self._pie(call, result))
            told = replace(told, id=f"pie-{call.record.call}-{self._ids.token()}", event="pie", url=url)
            await self._outbox.put(told)

    async def detected(self, call: SteeredCall, result: MenuResult) -> None:
        """Tell of keys pressed in a conference; what is answered does not matter."""
        url = script_of(call.callout, "pie")
        if not wants("pie", call.callout) or (url and not is_url(url)):
            return
        try:
            await call.meanwhile(self._ask(call, "pie", self._pie(call, result), url or None))
        except (NoCallback, CallbackFailed):
            return

    async def complain(self, call: SteeredCall, error: SvamlError) -> None:
        """Tell the application what is wrong with its document, with a `callingerror`."""
        body = events.calling_error(call.record, f"Illegal SVAML: {error}")
        await call.meanwhile(self._outbox.put(self._notification(call, body)))

    async def notify(self, call: SteeredCall, type_: NotifyType, *, amd: AmdResult) -> None:
        """Tell the application something that it need not answer; returns when that will not be forgotten.

        Where nothing can be kept the call goes on untold: it is worth more, and the store has said so in the log.
        """
        with suppress(Overload):
            await self._outbox.put(self._notification(call, events.notify(call.record, type_, amd=amd)))

    def since_answer_s(self, call: SteeredCall) -> float:
        """Return for how many seconds somebody has talked."""
        answered_at = call.record.answered_at
        return 0.0 if answered_at is None else self._clock.wall() - answered_at

    def _notification(self, call: SteeredCall, body: Body) -> Notification:
        now = self._clock.wall()
        return Notification(
            id=f"notify-{call.record.call}-{self._ids.token()}",
            call=call.record.call,
            application=call.record.application,
            event="notify",
            body=events.encoded(body),
            created_at=now,
            headers=_forwarded(call),
            next_at=now,
        )

    def _pie(self, call: SteeredCall, result: MenuResult) -> Body:
        return events.pie(call.record, result, at=self._clock.wall())

    async def _answer(self, call: SteeredCall, moment: Moment, body: Body) -> Document | None:
        """Return the document that answers an event; None if there is nobody to ask.

        Raises:
            CallbackFailed: nobody answered in time.
        """
        script = script_of(call.callout, moment.value)
        if not script and call.application.callback is None:
            return None
        try:
            if script and not is_url(script):
                return parse(script, moment=moment).document
            answer = await call.meanwhile(self._ask(call, moment.value, body, script or None, moment))
            return parse(answer, moment=moment).document
        except NoCallback:
            return None
        except CallbackFailed as failed:
            if not isinstance(failed.refusal, SvamlError):
                raise
            await self.complain(call, failed.refusal)
            call.fail("bad_document")
        except SvamlError as error:
            await self.complain(call, error)
            call.fail("bad_document")

    async def _ask(
        self, call: SteeredCall, event: str, body: Body, url: str | None, moment: Moment | None = None
    ) -> bytes:
        return await self._backend.ask(
            call.application,
            event,
            body,
            call=call.record.call,
            url=url,
            forwarded=_forwarded(call),
            accept=None if moment is None else lambda answer: parse(answer, moment=moment),
        )


def _wants_ace(call: SteeredCall) -> bool:
    record = call.record
    return record.callbacks and record.domain != _DATA and wants("ace", call.callout)


def _is_user(to: Identity | None) -> bool:
    return to is not None and to.type is IdentityType.USERNAME


def _forwarded(call: SteeredCall) -> Pairs:
    return () if call.callout is None else call.callout.forwarded
