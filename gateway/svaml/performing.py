"""One call that obeys SVAML: document after document, until it ends.

A `Turn` is a document and whom its prompts address.  Each action either ends the call, or leads to a conversation from
which the next document comes: the answer to an event, or an order of the API.  What a call would do if its application
said `continue` is kept as `_onward`: after a dialling that is to connect the parties, after a callout what it was begun
for, and else nothing but to talk on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, assert_never

from gateway.svaml.answering import NO_AMD, Answering
from gateway.svaml.asking import Asking
from gateway.svaml.cookies import sip_headers, with_cookie
from gateway.svaml.events import MenuResult, MenuResultType
from gateway.svaml.menus import prompts_of, run_menu
from gateway.svaml.model import (
    Amd,
    Answer,
    ConnectConf,
    ConnectMxp,
    ConnectPstn,
    ConnectSip,
    ConnectStream,
    Continue,
    Document,
    Hangup,
    Instruction,
    Park,
    PlayFiles,
    ReportCallStatus,
    RunMenu,
    Say,
    SendDtmf,
    SetCookie,
    StartRecording,
    StopRecording,
)
from gateway.svaml.recording_news import wish_of
from gateway.svaml.unasked import as_asked_for, as_dialled, forwarded_to
from gateway.switch.records import Identity, IdentityType
from gateway.switch.steering import (
    Callout,
    CalloutKind,
    ConferenceWish,
    Dial,
    DigitMode,
    DigitRule,
    Digits,
    Ear,
    HangupCause,
    Order,
    Pairs,
    Prompt,
    SteeredCall,
)
from gateway.switch.stores import Directory
from gateway.switch.world import CallOver

__all__ = ["Performance", "Turn"]

_HANG_UPS: Final = {1: HangupCause.BUSY, 2: HangupCause.CONGESTION}


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done next."""

    document: Document
    ear: Ear = Ear.CALLER
    """Who hears its prompts."""


class Performance:
    """Lives one call."""

    def __init__(self, call: SteeredCall, asking: Asking, directory: Directory) -> None:
        self._call: Final = call
        self._asking: Final = asking
        self._directory: Final = directory
        self._answering: Final = Answering(call, asking)
        self._onward: Callable[[], Awaitable[None]] = self._stay

    async def run(self) -> None:
        """Obey what is said until the call ends."""
        callout = self._call.callout
        if callout is None or callout.kind is CalloutKind.CUSTOM:
            turn = Turn(await self._first(callout))
        else:
            turn = await self._call_out(callout)
        await self._perform(turn)

    async def resume(self) -> None:
        """Go on in a conversation that another process has brought about, until the call ends."""
        await self._perform(await self._talk())

    async def _perform(self, turn: Turn) -> None:
        try:
            while True:
                turn = await self._obey(turn)
        except CallOver:
            await self._answering.hung_up()
            raise

    # How it begins.

    async def _first(self, callout: Callout | None) -> Document:
        """Ask what the call shall do, or find it out where nobody can be asked."""
        if callout is not None and not callout.scripts.get("ice"):
            implicit = as_asked_for(callout)
            if implicit is not None:
                return implicit
        asked = await self._asking.ice(self._call)
        return asked or self._unasked()

    def _unasked(self) -> Document:
        dialled = self._call.dialled
        document = as_dialled(dialled) if self._call.callout is None else None
        if document is None and dialled.type is IdentityType.DID:
            owned = self._directory.number(dialled.endpoint)
            if owned is not None and owned.forward:
                return forwarded_to(owned.forward, dialled.endpoint)
        if document is None:
            self._call.fail("no_application")
        return document

    async def _call_out(self, callout: Callout) -> Turn:
        """Call the one whom a speech or conference callout is for."""
        assert callout.to is not None  # only custom callouts do without
        dial = Dial(callout.to, cli=callout.cli or None, max_duration_s=callout.max_duration_s)
        return await self._connect(dial, lambda: self._do_what_it_is_for(callout))

    async def _do_what_it_is_for(self, callout: Callout) -> None:
        await self._call.connect()
        await self._call.send_digits(callout.digits)
        await self._call.play(callout.prompts)
        if callout.conference is None:
            self._call.hang_up()
        await self._call.join(callout.conference)

    # Documents.

    async def _obey(self, turn: Turn) -> Turn:
        """Do what a document says; return the next one."""
        for instruction in turn.document.instructions:
            await self._do(instruction, turn.ear)
        action = turn.document.action
        match action:
            case Hangup(cause=cause):
                self._call.hang_up(_HANG_UPS.get(cause, HangupCause.NORMAL))
            case Continue():
                self._record(action)
                onward, self._onward = self._onward, self._stay
                await onward()
                return await self._talk()
            case ConnectPstn() | ConnectMxp() | ConnectSip():
                return await self._dial(action)
            case ConnectConf():
                return await self._confer(action)
            case RunMenu():
                await self._call.answer()
                return Turn(await self._asking.pie(self._call, await self._menu(action)))
            case Park():
                return await self._park(action)
            case ConnectStream():
                self._call.fail("not_offered")
            case _:
                assert_never(action)

    async def _do(self, instruction: Instruction, ear: Ear) -> None:
        match instruction:
            case PlayFiles(ids=ids, locale=locale):
                await self._call.play([Prompt(name, locale=locale) for name in ids], to=ear)
            case Say(text=text, locale=locale):
                await self._call.play([Prompt(text, spoken=True, locale=locale)], to=ear)
            case SendDtmf(value=digits):
                await self._call.send_digits(digits, to=ear)
            case SetCookie():
                self._call.keep_cookies(with_cookie(self._call.record.cookies, instruction))
            case Answer():
                await self._call.answer()
            case StartRecording(options=options):
                self._call.tape.start(wish_of(options))
            case StopRecording():
                self._call.tape.stop_either()
            case ReportCallStatus():
                pass  # it is told at the end only
            case _:
                assert_never(instruction)

    # Actions.

    async def _dial(self, action: ConnectPstn | ConnectMxp | ConnectSip) -> Turn:
        digits, amd = "", NO_AMD
        match action:
            case ConnectPstn():
                dial, digits, amd = self._to_number(action), action.dtmf, action.amd
                self._remember(action.tags, suppress=action.suppress_callbacks)
            case ConnectMxp():
                if action.call_headers is not None:
                    self._call.carry_headers(action.call_headers)
                headers = sip_headers(self._call.record.headers)
                dial = Dial(action.destination or self._call.dialled, cli=action.cli, headers=headers)
            case ConnectSip():
                dial = self._to_sip(action)
                self._remember(action.tags, suppress=action.suppress_callbacks)

        async def meet() -> None:
            self._record(action)
            await self._call.send_digits(digits, to=Ear.CALLEE)
            await self._call.connect()

        return await self._connect(dial, meet, amd)

    async def _connect(self, dial: Dial, onward: Callable[[], Awaitable[None]], amd: Amd = NO_AMD) -> Turn:
        """Call somebody; then the application says whether it goes on as it was meant to."""
        await self._call.dial(dial)
        self._onward = onward
        return Turn(await self._asking.ace(self._call, await self._answering.found_out(amd)))

    def _record(self, action: Continue | ConnectPstn | ConnectMxp | ConnectSip) -> None:
        """Record the call if an action says so."""
        if action.record:
            self._call.tape.start(wish_of(action.recording))

    def _to_number(self, action: ConnectPstn) -> Dial:
        number = action.number or self._call.dialled.endpoint
        return Dial(
            Identity(IdentityType.NUMBER, number),
            cli=action.cli or self._usual_cli,
            timeout_s=action.dial_timeout_s,
            max_duration_s=action.max_duration_s or self._usual_limit_s,
        )

    def _to_sip(self, action: ConnectSip) -> Dial:
        headers = sip_headers(self._call.record.cookies, action.call_headers)
        if action.call_headers:
            self._call.carry_headers(action.call_headers)
        return Dial(
            action.destination,
            cli=action.cli or self._usual_cli,
            max_duration_s=action.max_duration_s or self._usual_limit_s,
            headers=headers,
            transport=None if action.transport is None else action.transport.value.lower(),
            moh=action.moh,
        )

    @property
    def _usual_cli(self) -> str | None:
        return None if self._call.callout is None else self._call.callout.cli or None

    @property
    def _usual_limit_s(self) -> int | None:
        return None if self._call.callout is None else self._call.callout.max_duration_s

    async def _confer(self, action: ConnectConf) -> Turn:
        self._remember(action.tags, suppress=action.suppress_callbacks)
        self._onward = self._stay
        rule = DigitRule(
            DigitMode(action.dtmf.mode.value), action.dtmf.max_digits, action.dtmf.timeout_ms / 1000
        )
        recording = wish_of(action.recording) if action.record else None
        await self._call.join(ConferenceWish(action.conference_id, action.moh, rule, recording))
        return await self._talk()

    async def _menu(self, action: RunMenu) -> MenuResult:
        return await run_menu(
            self._call, action, hung_up=lambda result: self._asking.left(self._call, result)
        )

    async def _park(self, action: Park) -> Turn:
        await self._call.answer()
        await self._call.play(prompts_of(action.intro_prompt, "", action.locale))
        hold = prompts_of(action.hold_prompt, "", action.locale)
        order = await self._call.park(hold, max_duration_s=action.max_duration_s)
        if order is None:
            self._call.fail("too_long")
        return _turn_of(order)

    def _remember(self, tags: Pairs, *, suppress: bool) -> None:
        self._call.add_tags(tags)
        if suppress:
            self._call.silence()

    # Conversations.

    async def _talk(self) -> Turn:
        """Let the parties talk until there is something else to do."""
        while True:
            match await self._call.next():
                case Order() as order:
                    return _turn_of(order)
                case Digits(digits=digits, conference=conference):
                    result = MenuResult(MenuResultType.SEQUENCE, conference or "", digits)
                    await self._asking.detected(self._call, result)

    async def _stay(self) -> None:
        """Go on as it is; a call that nobody has picked up yet is answered by its going on."""


def _turn_of(order: Order) -> Turn:
    assert isinstance(order.document, Document)  # `Interpreter.read_order` made it
    return Turn(order.document, order.ear)
