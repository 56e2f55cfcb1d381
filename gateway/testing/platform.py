"""A whole platform for tests: `tandem serve` with an application, numbers, users and a carrier, and who steers it.

    with Platform(directory) as platform:
        async with Steering(platform) as application, phone(platform, "alice", 440) as alice:
            application.says("ice", {"action": {"name": "hangup"}})
            call = await alice.dial(platform.uri("+46700000001"))
            told = await application.told("dice")

The carrier is whoever listens at `CARRIER` and `carrier_port`, by preference SIPp (`carrier`).  What a phone heard lies
on the clock of the loop, so a test can ask for the level of a tone at a moment (`Line.level`).
"""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypedDict, Unpack

from gateway.lab.measures import tone_level
from gateway.lab.phone.call import PhoneCall
from gateway.lab.phone.phone import Phone, PhoneConfig
from gateway.lab.phone.sources import ToneSource
from gateway.sip.authentication import Credentials
from gateway.sip.uri import parse_uri_untrusted
from gateway.testing.callback_server import CallbackServer, Received, answer
from gateway.testing.processes import Serving, free_block
from gateway.testing.sipp import Sipp

__all__ = [
    "CARRIER",
    "KEY",
    "NUMBER",
    "PASSWORD",
    "SECRET",
    "Line",
    "Options",
    "Platform",
    "Refused",
    "Steering",
    "phone",
]

KEY: Final = "669e367e-6bba-48ab-af15-266871c28135"
SECRET: Final = "BeIukql3pTKJ8RGL5zo0DA=="
NUMBER: Final = "+46770000001"
"""The application's own."""
CARRIER: Final = "127.0.0.2"
PASSWORD: Final = "secret"
"""Of every user."""
_USERS: Final = ("alice", "bob", "carol")
_RATE_HZ: Final = 8000
_HOUR: Final = timedelta(hours=1)
_PATIENCE_S: Final = 10.0


class Options(TypedDict, total=False):
    """Of `Serving`, those that suit a platform."""

    program: Sequence[str]
    environment: Mapping[str, str]
    speech: bool
    recording: bool


class Refused(Exception):
    """The API said no; `status` is HTTP's."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status} {body}")
        self.status = status


class Platform(Serving):
    """A running switch of one application."""

    def __init__(
        self, directory: Path, *, settings: str = "", forward: str = "", **serving: Unpack[Options]
    ) -> None:
        """`settings` is more TOML; `forward` is where calls to `NUMBER` go when nobody is asked.

        `serving` is what `Serving` is told, too.
        """
        self.carrier_ports: Final = free_block()
        self.sip_scripts: Final = directory
        super().__init__(directory / "switch", settings=self._settings(forward) + settings, **serving)

    @property
    def carrier_port(self) -> int:
        """Where the trunk leads."""
        return self.carrier_ports[0]

    def carrier(self, scenario: Path, *arguments: str, n_calls: int = 1, calls: bool = False) -> Sipp:
        """Return a SIPp that is the carrier: it waits for calls, or (`calls`) makes them."""
        port = self.carrier_ports[50 if calls else 0]
        return Sipp(
            self.sip_scripts,
            scenario,
            (*((self.address,) if calls else ()), *arguments),
            ip=CARRIER,
            sip_port=port,
            rtp_port=port + 10,
            n_calls=n_calls,
        )

    async def ask(self, method: str, path: str, document: object = None) -> Any:
        """Ask the REST API, by path or whole URL; return its document.  Raises Refused."""
        return await asyncio.to_thread(self._ask, method, path, document)

    async def look_up(self, call: str) -> dict[str, Any]:
        """Return what GetCall says."""
        found: dict[str, Any] = await self.ask("GET", f"/calling/v1/calls/id/{call}")
        return found

    async def over(self, call: str) -> dict[str, Any]:
        """Return what GetCall says once the call is over."""
        async with asyncio.timeout(_PATIENCE_S):
            while (found := await self.look_up(call))["status"] != "FINAL":  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)
        return found

    async def records(self, layout: str, call: str | None = None) -> list[dict[str, str]]:
        """Return the call's detail records of this hour in one layout; None = every call's."""
        now = datetime.now(UTC).replace(tzinfo=None)
        since, until = ((now + each).isoformat() + "Z" for each in (-_HOUR, _HOUR))
        answered = await self.ask("GET", f"/v1/cdr/{layout}?from={since}&to={until}&format=json")
        return [record for record in answered["records"] if call in (None, record["CallId"])]

    @property
    def shown(self) -> str:
        """The Authorization header of the application."""
        return "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()

    def _ask(self, method: str, path: str, document: object) -> Any:
        request = urllib.request.Request(
            path if path.startswith("http") else f"http://127.0.0.1:{self.http_port}{path}",
            method=method,
            data=None if document is None else json.dumps(document).encode(),
            headers={"Authorization": self.shown, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S) as response:
                return json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode()) from None

    def _settings(self, forward: str) -> str:
        users = "".join(f'[[users]]\nname = "{user}"\npassword = "{PASSWORD}"\n' for user in _USERS)
        rule = f'forward = "{forward}"\n' if forward else ""
        carrier = (
            f'uri = "sip:{CARRIER}:{self.carrier_ports[0]};transport=udp"\ncodecs = ["PCMA"]\nping_s = 0\n'
        )
        pbx = f'uri = "sip:127.0.0.3:5060"\nprefix = "+999"\napplication = "{KEY}"\nping_s = 0\n'
        return (
            f'[[applications]]\nkey = "{KEY}"\nsecret = "{SECRET}"\n{users}'
            f'[[numbers]]\nnumber = "{NUMBER}"\n{rule}'
            f'[[trunks]]\nname = "carrier"\n{carrier}[[trunks]]\nname = "pbx"\n{pbx}'
        )


class Steering:
    """The application's server while the block runs: answers events as it was told to, and keeps what it heard."""

    def __init__(self, platform: Platform) -> None:
        self._platform: Final = platform
        self._server: Final = CallbackServer(self._answer)
        self._says: dict[str, object] = {}
        self._heard: Final[list[dict[str, Any]]] = []
        self._changed: Final = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        await self._take_over(self._server.url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._take_over("")
        finally:
            await self._server.__aexit__(kind, error, trace)

    def says(self, event: str, document: Mapping[str, object]) -> None:
        """Answer an event so from now on; what nothing is said to gets an empty answer."""
        self._says[event] = document

    @property
    def events(self) -> list[str]:
        """The events so far, in order."""
        return [body["event"] for body in self._heard]

    def heard(self, event: str) -> list[dict[str, Any]]:
        """Return every event of that name so far, in order."""
        return self._find(event, {})

    async def told(self, event: str, **facts: object) -> dict[str, Any]:
        """Return the first event of that name with these facts.  Raises TimeoutError."""
        async with asyncio.timeout(_PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: self._find(event, facts))
            return self._find(event, facts)[0]

    def _find(self, event: str, facts: Mapping[str, object]) -> list[dict[str, Any]]:
        return [body for body in self._heard if body["event"] == event and facts.items() <= body.items()]

    async def _answer(self, request: Received, out: asyncio.StreamWriter) -> None:
        body = json.loads(request.body)
        said = self._says.get(body["event"])
        await answer(b"" if said is None else json.dumps(said).encode())(request, out)
        async with self._changed:
            self._heard.append(body)
            self._changed.notify_all()

    async def _take_over(self, url: str) -> None:
        path = f"/v1/configuration/callbacks/applications/{KEY}"
        await self._platform.ask("POST", path, {"url": {"primary": url}})


class Line:
    """A user's phone, whose every call says one tone."""

    def __init__(self, platform: Platform, device: Phone, hz: float) -> None:
        self._platform: Final = platform
        self._phone: Final = device
        self._hz: Final = hz

    async def dial(self, dialled: str) -> PhoneCall:
        """Call somebody, and return at once."""
        target = parse_uri_untrusted(self._platform.uri(dialled))
        return await self._phone.dial(target, lambda _: ToneSource(self._hz))

    async def talk(self, dialled: str) -> PhoneCall:
        """Call somebody who answers.  Raises CallFailed."""
        call = await self.dial(dialled)
        await self._phone.until_answered(call)
        return call

    async def answered(self) -> PhoneCall:
        """Return the next call that was taken."""
        async with asyncio.timeout(_PATIENCE_S):
            return await self._phone.incoming.get()

    @property
    def idle(self) -> bool:
        """Whether every call that was taken has been asked for."""
        return self._phone.incoming.empty()

    def hang_up(self, call: PhoneCall) -> None:
        """End a call."""
        self._phone.hang_up(call)

    @staticmethod
    def level(call: PhoneCall, hz: float, *, since: float, for_s: float = 0.2) -> float:
        """Return how loud a tone was heard in a span of the loop's time, in dBov; -127 = not at all."""
        listener = call.media.listener
        first = round((since - listener.receiver.best_origin_s) * _RATE_HZ)
        pcm = listener.heard.pcm()[max(0, first) : first + round(for_s * _RATE_HZ)]
        return tone_level(pcm, hz) if len(pcm) else -127.0


@asynccontextmanager
async def phone(
    platform: Platform, user: str, hz: float = 440.0, *, takes_calls: bool = True, registers: bool = True
) -> AsyncIterator[Line]:
    """Give a user's phone, registered; it takes calls at once, or is busy."""
    credentials = Credentials(user, SECRET if user == KEY else PASSWORD)
    config = PhoneConfig(user=user, credentials=credentials)
    says = (lambda _: ToneSource(hz)) if takes_calls else None
    async with Phone(config, answer_with=says) as device:
        if registers:
            await device.register(parse_uri_untrusted(f"sip:{platform.address}"), credentials)
        yield Line(platform, device, hz)
