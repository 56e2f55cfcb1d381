"""`tandem listen` as a process: what people see, what programs read, and whose callback it becomes."""

import asyncio
import json
import signal
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from gateway.signing import Accepted, Signable, authorization, timestamp, verify
from gateway.testing.callback_server import CallbackServer
from gateway.testing.processes import TANDEM, tandem

KEY = "669E367E-6BBA-48AB-AF15-266871C28135"
SECRET = "BeIukql3pTKJ8RGL5zo0DA=="
ICE = {"event": "ice", "callid": "call/7", "to": {"type": "number", "endpoint": "+46000000000"}}


@dataclass
class Listening:
    """A running command and the URL at which it listens."""

    process: asyncio.subprocess.Process
    url: str

    async def post(self, event=ICE, *, secret=SECRET, path="", **headers):
        """Deliver an event as the platform does; return the answer as (status, document)."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        signable = Signable(
            method="POST",
            path="/" + path,
            content_type="application/json",
            timestamp=timestamp(time.time()),
            body=body,
        )
        signed = {
            "Authorization": authorization(KEY, secret, signable, scheme="application"),
            "Content-Type": "application/json",
            "x-timestamp": signable.timestamp,
            **headers,
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, data=body, headers=signed) as response,
        ):
            answered = await response.read()
            return response.status, json.loads(answered) if response.content_type.endswith(
                "json"
            ) else answered

    async def line(self):
        """Return the next line of stdout."""
        return (await self.process.stdout.readline()).decode()

    async def page(self):
        """Return stdout up to the empty line that ends an event."""
        return "".join([line async for line in self._lines_of_a_page()])

    async def _lines_of_a_page(self):
        while (line := await self.line()).strip():
            yield line

    async def heard(self):
        """Return the next line of stdout as JSON."""
        return json.loads(await self.line())


@asynccontextmanager
async def listening(tmp_path, *options, secret=SECRET):
    """Run the command on a free port; interrupt it at the end and see that it ends well."""
    told = ["--port", "0", "--data", str(tmp_path / "data"), *options]
    process = await asyncio.create_subprocess_exec(
        *TANDEM,
        "listen",
        *told,
        *(["--secret", secret] if secret else []),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200"},
    )
    try:
        ready = (await process.stderr.readline()).decode()
        assert ready.startswith("listening at "), ready + (await process.stderr.read()).decode()
        yield Listening(process, ready.split()[2].rstrip(",;"))
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0, (await process.stderr.read()).decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def test_an_event_is_shown_with_its_signature_and_answered(tmp_path):
    async def run():
        async with listening(tmp_path) as listener:
            return await listener.post(), await listener.page()

    answered, page = asyncio.run(run())

    assert answered == (200, {"action": {"name": "connectPstn", "number": "+46000000000"}})
    assert "ICE  call/7  signature right" in page
    assert all(part in page for part in ('"endpoint": "+46000000000"', "the usual answer", '"connectPstn"'))


def test_programs_read_a_line_of_json_for_each_event(tmp_path):
    async def run():
        async with listening(tmp_path, "--json") as listener:
            await listener.post(path="some/path?x=1", **{"X-CB-Trace": "7"})
            return await listener.heard()

    heard = asyncio.run(run())

    assert (heard["number"], heard["event"], heard["call"]) == (1, "ice", "call/7")
    assert (heard["path"], heard["headers"]["x-cb-trace"]) == ("/some/path?x=1", "7")
    assert (heard["signed"], heard["again"], heard["body"]) == (True, False, ICE)
    assert heard["answer"]["action"]["name"] == "connectPstn"


def test_a_wrong_signature_is_said(tmp_path):
    async def run():
        async with listening(tmp_path, "--json") as listener:
            await listener.post(secret="AAAA")
            return await listener.heard()

    assert asyncio.run(run())["signed"] is False


def test_a_signature_of_a_key_that_nobody_here_knows_is_not_checked(tmp_path):
    async def run():
        async with listening(tmp_path, secret=None) as listener:
            await listener.post()
            return await listener.line()

    assert "signature not checked" in asyncio.run(run())


def test_a_repetition_is_known_by_its_id(tmp_path):
    async def run():
        async with listening(tmp_path, "--json") as listener:
            for name in ("a", "b", "a"):
                await listener.post(**{"ce-id": name})
            return [(await listener.heard())["again"] for _ in range(3)]

    assert asyncio.run(run()) == [False, False, True]


def test_answers_come_from_a_file_and_an_edited_file_counts_at_once(tmp_path):
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"ICE": {"action": {"name": "hangup"}}}))

    async def run():
        async with listening(tmp_path, "--svaml", str(file), "--json") as listener:
            first = await listener.post()
            file.write_text(json.dumps({"ice": {"action": {"name": "connectConf", "conferenceId": "r"}}}))
            second = await listener.post()
            file.write_text("{")
            return first, second, await listener.post()

    first, second, third = asyncio.run(run())

    assert first == (200, {"action": {"name": "hangup"}})
    assert second == (200, {"action": {"name": "connectConf", "conferenceId": "r"}})
    assert third[0] == 500


def test_events_and_answers_are_kept(tmp_path):
    async def run():
        async with listening(tmp_path, "--save", str(tmp_path / "kept")) as listener:
            await listener.post()
            await listener.post({"event": "dice", "callid": "../../etc"})

    asyncio.run(run())

    kept = {path.name: path.read_text() for path in (tmp_path / "kept").iterdir()}
    assert sorted(kept) == ["0001-ice-call_7.answer", "0001-ice-call_7.json", "0002-dice-.._.._etc.json"]
    assert json.loads(kept["0001-ice-call_7.json"]) == ICE


def test_what_is_no_event_is_shown_and_refused(tmp_path):
    async def run():
        async with listening(tmp_path, "--json") as listener:
            answered = await listener.post(b"\x1b[31mnonsense")
            return answered, await listener.line()

    (status, _), line = asyncio.run(run())

    assert status == 400
    assert "\x1b" not in line


class Switch:
    """The REST API's two operations about callback URLs."""

    def __init__(self, primary="", fallback=None):
        self.urls = {"primary": primary, "fallback": fallback}
        self.history = []
        self.refused = 0

    async def behave(self, request, out):
        signable = Signable(
            method=request.method,
            path=request.target,
            content_type=request.headers.get("content-type", ""),
            timestamp=request.headers.get("x-timestamp", ""),
            body=request.body,
        )
        find = {KEY: Owner()}.get
        verdict = verify(signable, request.headers.get("authorization"), find, now=time.time())
        if not isinstance(verdict, Accepted):
            self.refused += 1
        if request.method == "POST":
            self.urls = json.loads(request.body)["url"]
            self.history.append(self.urls)
        told = json.dumps({"url": {name: url for name, url in self.urls.items() if url is not None}}).encode()
        status = "200 OK" if isinstance(verdict, Accepted) else "401 Unauthorized"
        out.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(told)}\r\n\r\n".encode() + told)
        await out.drain()


class Owner:
    key, secret, basic = KEY, SECRET, True


def taken_over(tmp_path, switch, meanwhile=lambda url: None):
    """Be the application's callback for a moment."""

    async def run():
        async with CallbackServer(switch.behave) as server:
            api = f"http://127.0.0.1:{server.port}"
            async with listening(tmp_path, "--app", KEY, "--api", api) as listener:
                meanwhile(listener.url)
                return listener.url

    return asyncio.run(run())


def test_it_becomes_an_applications_callback_and_gives_back_the_old_one(tmp_path):
    old = {"primary": "https://old.example.org/", "fallback": "https://b.example.org/"}
    switch = Switch(**old)

    url = taken_over(tmp_path, switch)

    assert switch.history == [{"primary": url, "fallback": None}, old]
    assert switch.refused == 0


def test_an_application_without_callback_has_none_afterwards(tmp_path):
    switch = Switch()

    taken_over(tmp_path, switch)

    assert switch.urls == {"primary": "", "fallback": None}


def test_a_callback_that_somebody_set_meanwhile_stays(tmp_path):
    switch = Switch()

    taken_over(tmp_path, switch, lambda _url: switch.urls.update(primary="https://new.example.org/"))

    assert switch.urls["primary"] == "https://new.example.org/"


def test_a_switch_that_is_not_there_is_said(tmp_path):
    told = (
        "--port",
        "0",
        "--data",
        str(tmp_path),
        "--app",
        KEY,
        "--secret",
        SECRET,
        "--api",
        "http://127.0.0.1:9",
    )

    ended = tandem("listen", *told)

    assert (ended.status, ended.printed) == (1, "")
    assert "no switch answers at http://127.0.0.1:9" in ended.complaints


def test_a_port_that_is_taken_is_said(tmp_path):
    async def run():
        async with CallbackServer(Switch().behave) as server:
            return await asyncio.to_thread(
                tandem, "listen", "--port", str(server.port), "--data", str(tmp_path)
            )

    ended = asyncio.run(run())

    assert ended.status == 1
    assert "cannot be listened on" in ended.complaints


def test_an_application_without_a_known_secret_is_a_mistake(tmp_path):
    ended = tandem("listen", "--data", str(tmp_path), "--app", "unknown")

    assert ended.status == 2
    assert "--secret" in ended.complaints


def test_a_file_that_cannot_be_used_is_a_mistake(tmp_path):
    ended = tandem("listen", "--data", str(tmp_path), "--svaml", "ice=/nowhere.json")

    assert ended.status == 2
    assert "cannot be used" in ended.complaints
