"""Traffic of every kind at once: callouts by the API, calls of a phone to a number of ours, a carrier that picks up.

Nobody here minds what becomes of a call: whoever is called rings, picks up and hangs up as chance has it, and a switch
that does not answer is asked again.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from http.client import HTTPException
from typing import Final

from gateway.errors import GatewayError
from gateway.ids import SystemIds
from gateway.sip.endpoint import Endpoint
from gateway.sip.settings import EndpointConfig
from gateway.testing.phone import Phone, PhoneCall
from gateway.testing.platform import CARRIER, NUMBER, PASSWORD, Platform, Refused, Steering
from gateway.transport.sip_rim import SipRim

__all__ = ["Traffic", "busy_traffic"]

_LOCAL: Final = "127.0.0.1"
_OUTSIDE: Final = {"type": "number", "endpoint": "+46709990001"}
"""Behind the carrier."""
_DENIED: Final = {"type": "number", "endpoint": "+460000000030"}
"""A test number that refuses at once."""
_DOCUMENTS: Final = (
    {"action": {"name": "hangup"}},
    {"action": {"name": "connectPstn", "number": _OUTSIDE["endpoint"]}},
    {"action": {"name": "connectConf", "conferenceId": "lounge"}},
)
_CALLOUT_LINES: Final = 3
_PHONE_LINES: Final = 2
_PAUSE_S: Final = 0.15
_TALK_S: Final = 1.5
_PATIENCE_TO_ANSWER_S: Final = 0.3
_HANGS_UP: Final = 0.6
"""How often whoever was called hangs up first."""


@asynccontextmanager
async def busy_traffic(
    platform: Platform, application: Steering, chance: random.Random
) -> AsyncIterator[Traffic]:
    """Call and be called while the block runs, or until the traffic is told to cease."""
    async with (
        _phone("alice", platform, host=_LOCAL, password=PASSWORD) as alice,
        _phone("carrier", platform, host=CARRIER, port=platform.carrier_port) as carrier,
        asyncio.TaskGroup() as tasks,
    ):
        traffic = Traffic(platform, application, chance, tasks)
        traffic.begin(alice, carrier)
        yield traffic
        traffic.cease()


class Traffic:
    """Begins calls, and takes those that come."""

    def __init__(
        self, platform: Platform, application: Steering, chance: random.Random, tasks: asyncio.TaskGroup
    ) -> None:
        self.callouts: Final[list[str]] = []
        """The ids that were given, in that order."""
        self._platform: Final = platform
        self._application: Final = application
        self._chance: Final = chance
        self._tasks: Final = tasks
        self._lines: Final[set[asyncio.Task[None]]] = set()

    def begin(self, caller: Phone, carrier: Phone) -> None:
        """Call out, call in as `caller`, and pick up as `carrier`."""
        self._go_on(self._pick_up(carrier))
        for _ in range(_CALLOUT_LINES):
            self._go_on(self._call_out())
        for _ in range(_PHONE_LINES):
            self._go_on(self._call_in(caller))

    def cease(self) -> None:
        """Begin nothing more; the phones go on answering what they are asked."""
        for line in self._lines:
            line.cancel()

    def _go_on(self, line: Coroutine[None, None, None]) -> None:
        task = self._tasks.create_task(line)
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)

    async def _call_out(self) -> None:
        while True:
            self._application.says("ice", self._chance.choice(_DOCUMENTS))
            with suppress(OSError, HTTPException, Refused):  # it is being killed, or has not begun
                begun = await self._platform.ask("POST", "/calling/v1/callouts", self._callout())
                self.callouts.append(begun["callId"])
            await asyncio.sleep(self._chance.uniform(0.0, _PAUSE_S))

    async def _call_in(self, phone: Phone) -> None:
        while True:
            call = await phone.call(NUMBER)
            await asyncio.sleep(self._chance.uniform(0.0, _TALK_S))
            with suppress(GatewayError):
                call.hang_up()

    async def _pick_up(self, phone: Phone) -> None:
        while True:
            self._go_on(self._talk(await phone.rung()))

    async def _talk(self, call: PhoneCall) -> None:
        with suppress(GatewayError, AssertionError):  # whoever called has given up
            call.ring()
            await asyncio.sleep(self._chance.uniform(0.0, _PATIENCE_TO_ANSWER_S))
            await call.answer()
            await asyncio.sleep(self._chance.uniform(0.0, _TALK_S))
            if self._chance.random() < _HANGS_UP:
                call.hang_up()

    def _callout(self) -> Mapping[str, object]:
        return self._chance.choice(_CALLOUTS)()


def _conference(destination: object) -> Mapping[str, object]:
    wish = {"destination": destination, "conferenceId": "lounge", "cli": NUMBER, "enableDice": True}
    return {"method": "conferenceCallout", "conferenceCallout": wish}


def _speech() -> Mapping[str, object]:
    wish = {"destination": _OUTSIDE, "text": "Hello", "cli": NUMBER, "enableAce": True, "enableDice": True}
    return {"method": "ttsCallout", "ttsCallout": wish}


def _by_document() -> Mapping[str, object]:
    document = {"action": {"name": "connectPstn", "number": _OUTSIDE["endpoint"], "cli": NUMBER}}
    return {"method": "customCallout", "customCallout": {"ice": json.dumps(document)}}


def _by_asking() -> Mapping[str, object]:
    return {"method": "customCallout", "customCallout": {"custom": "asks"}}


_CALLOUTS: Final[tuple[Callable[[], Mapping[str, object]], ...]] = (
    lambda: _conference(_OUTSIDE),
    lambda: _conference(_DENIED),
    _speech,
    _by_document,
    _by_asking,
)


@asynccontextmanager
async def _phone(
    name: str, platform: Platform, *, host: str, port: int = 0, password: str | None = None
) -> AsyncIterator[Phone]:
    """Give a phone that hears SIP and no media."""
    endpoint = Endpoint(EndpointConfig(trust_everyone=True, contact_user=name), SystemIds())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unread:
        unread.bind((host, 0))
        rtp_port = unread.getsockname()[1]
        async with SipRim(endpoint, [f"udp:{host}:{port}"]) as rim:
            phone = Phone(name, rim, server=platform.address, host=host, password=password, rtp_port=rtp_port)
            async with phone.running():
                yield phone
