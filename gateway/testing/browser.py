"""Headless Chromium with somebody else's SIP library in a page: a phone that speaks over WebSocket.

A page's script gives the library a person's hands (`window.phone`) and keeps what it tells (`window.told`); both are
written for each library beside the tests.  Everything in SIP is the library's own.  Its media is `plain_media.js`,
which stands for the browser's RTCPeerConnection and names sockets that are held here: what the phone says and hears
is real RTP, made and read by `gateway.testing.rtp_peer`, which shares nothing with the switch.  Without a `stand_in`
the browser's own RTCPeerConnection stays.

    with Chromium() as chromium, BrowserPhone(chromium, scripts["jssip"], user="alice", ...) as alice:
        alice.dial("sip:echo@127.0.0.1:5060")
        alice.say(speech())
        ...
        alice.heard()
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt

import voicecodecs
from gateway.testing.processes import PATIENCE_S
from gateway.testing.rtp_peer import RtpEar
from gateway.testing.rtp_voice import RtpVoice

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["BrowserPhone", "Chromium", "bundled"]

_HOST: Final = "127.0.0.1"
_FLAGS: Final = (
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--ignore-certificate-errors",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
_FRAME_BYTES: Final = 80
_G711: Final = {0: "pcmu", 8: "pcma"}
"""By payload type (RFC 3551 section 6)."""
_POLL_MS: Final = 20
_FIND: Final = """([what, facts, count]) => {
  const fits = (event) => Object.entries(facts).every(([name, value]) => event[name] === value);
  return told.filter((event) => event.what === what && fits(event))[count - 1];
}"""

Pcm = npt.NDArray[np.int16]


def bundled(sources: Path, workshop: Path, names: Sequence[str]) -> dict[str, Path]:
    """Make one script of each page of `sources` and the library that it is written for, by npm and esbuild.

    What npm brings is kept in `workshop` for the next time.
    """
    npm = shutil.which("npm")
    assert npm, "npm is not installed (Debian: apt install npm)"
    workshop.mkdir(parents=True, exist_ok=True)
    with (workshop / "lock").open("w") as lock:  # another worker of a parallel run may want the same
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _bundled(sources, workshop, names, npm)


def _bundled(sources: Path, workshop: Path, names: Sequence[str], npm: str) -> dict[str, Path]:
    wanted = (sources / "package.json").read_text()
    brought = workshop / "brought.json"
    for source in sources.iterdir():
        shutil.copy(source, workshop)
    if not brought.exists() or brought.read_text() != wanted:
        _run(workshop, npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
        brought.write_text(wanted)
    bundles = workshop / f"bundles-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    esbuild = str(workshop / "node_modules/.bin/esbuild")
    _run(
        workshop,
        esbuild,
        *(f"{name}.js" for name in names),
        "--bundle",
        f"--outdir={bundles}",
        "--log-level=error",
    )
    return {name: bundles / f"{name}.js" for name in names}


def _run(directory: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"


def _decoded(audio: bytes, codec: str) -> Pcm:
    frames = [audio[i : i + _FRAME_BYTES] for i in range(0, len(audio), _FRAME_BYTES)]
    return voicecodecs.decode_frames(frames, codec)


class Chromium:
    """One headless browser for any number of phones, each in a profile of its own.

    Args:
        microphone: a WAV file of 48 kHz that all of them speak, again and again; None = a beep each second.
    """

    def __init__(self, microphone: Path | None = None) -> None:
        self._microphone = microphone

    def __enter__(self) -> Self:
        from playwright.sync_api import sync_playwright  # only who tests with browsers has it

        program = shutil.which("chromium")
        assert program, "chromium is not installed (Debian: apt install chromium)"
        with contextlib.ExitStack() as starting:
            self._blank = starting.enter_context(_blank_page())
            playwright = starting.enter_context(sync_playwright())
            spoken = [f"--use-file-for-fake-audio-capture={self._microphone}"] if self._microphone else []
            self._browser: Browser = playwright.chromium.launch(
                executable_path=program, args=[*_FLAGS, *spoken]
            )
            starting.callback(self._browser.close)
            self._idle: list[Page] = []
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @contextlib.contextmanager
    def page(self) -> Iterator[Page]:
        """Give an empty page, a new one or one that somebody has done with: a new one costs a process."""
        page = (
            self._idle.pop()
            if self._idle
            else self._browser.new_context(permissions=["microphone"]).new_page()
        )
        page.goto(self._blank)
        yield page
        if not page.is_closed():
            page.goto("about:blank")  # it closes what was open
            self._idle.append(page)


@contextlib.contextmanager
def _blank_page() -> Iterator[str]:
    """Serve an empty page on loopback: only such a one is given a microphone, and may connect to loopback."""
    with ThreadingHTTPServer((_HOST, 0), _Blank) as server:
        thread = threading.Thread(target=server.serve_forever, name="blank-page", daemon=True)
        thread.start()
        try:
            yield f"http://{_HOST}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>phone</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class _Line:
    """What the page knows of one of its calls' media."""

    sdp: str | None
    closed: bool


class BrowserPhone:
    """A page that is a phone, registered once the `with` is entered.

    Args:
        chromium: the browser.
        script: the page's script, of `bundled`.
        stand_in: the script that stands for the browser's RTCPeerConnection; None = its own stays.
        user: the name it registers with.
        password: its password.
        server: the URL of the WebSocket, `ws://127.0.0.1:5066/`.
        domain: the host and port in its own address, `127.0.0.1:5060`.
        answers: it answers each call at once.
        lines: how many calls it can have in its life.
        registered: entering waits until it is registered.
        hurried: its clock can be put forward by `wait_in_vain`; the page serves nobody else afterwards.
    """

    def __init__(
        self,
        chromium: Chromium,
        script: Path,
        *,
        user: str,
        password: str,
        server: str,
        domain: str,
        stand_in: Path | None,
        answers: bool = True,
        lines: int = 1,
        registered: bool = True,
        hurried: bool = False,
    ) -> None:
        self._chromium, self._script, self._stand_in = chromium, script, stand_in
        self._settings = {
            "server": server,
            "uri": f"sip:{user}@{domain}",
            "user": user,
            "password": password,
            "answers": answers,
        }
        self._n_lines, self._registered, self._hurried = lines, registered, hurried
        self._seen: dict[str, int] = {}
        self._complaints: list[str] = []
        self._voices: dict[int, RtpVoice] = {}
        self._running = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as starting:
            self._ears = [starting.enter_context(RtpEar()) for _ in range(self._n_lines)]
            starting.callback(self._fall_silent)
            self._page = starting.enter_context(self._chromium.page())
            for kind in ("pageerror", "console"):
                self._page.on(kind, self._complained)
                starting.callback(self._page.remove_listener, kind, self._complained)
            if self._hurried:
                self._page.clock.install()
                starting.callback(self.leave)
            self._open()
            if self._registered:
                self.wait_for_next("registered")
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def leave(self) -> None:
        """Close the page without a word, as people close a tab."""
        self._page.close()

    # What a person does.

    def dial(self, uri: str) -> None:
        """Call somebody and wait until both can talk."""
        self.do("dial", uri)
        self.wait_for_talk()

    def wait_for_talk(self) -> None:
        """Wait until its next call is established, and begin to send."""
        self.wait_for_next("established")
        self._speak_up()

    def say(self, pcm: Pcm) -> None:
        """Say int16 [n] of 8000 Hz in the newest call, after all that is still to be said there."""
        self._voices[self._newest()].say(pcm)

    def heard(self) -> Pcm:
        """Return what has been heard so far in the newest call, or in the last one: int16 [n]."""
        packets = [each.packet for each in self._ears[self._newest()].heard()]
        audio = [packet for packet in packets if packet.payload_type in _G711]
        runs = [
            _decoded(b"".join(packet.payload for packet in run), _G711[kind])
            for kind, run in groupby(audio, key=lambda packet: packet.payload_type)
        ]
        return np.concatenate([np.zeros(0, np.int16), *runs])

    def press(self, keys: str, *, method: str = "rfc4733") -> None:
        """Press keys: `rfc4733`, or `info` (RFC 6086)."""
        self.do("press", keys, method)
        line = self._newest()
        self._voices[line].press(self._page.evaluate("index => plainMedia.takeTones(index)", line))

    def wait_for_keys(self, keys: str) -> None:
        """Wait until these keys, and no others, have come by RFC 4733, in whichever call."""
        self._wait_for(lambda: self._keys() == keys, f"{keys} (but {self._keys()})")

    def hold(self) -> None:
        """Put the call on hold and wait until the peer has agreed."""
        self.do("hold")
        self.wait_for_next("held")

    def resume(self) -> None:
        """Take the call from hold and wait until both can talk."""
        self.do("resume")
        self.wait_for_next("resumed")

    def change_codec(self, codec: str) -> None:
        """Offer another codec alone, `PCMU` or `PCMA`, and wait until the peer has agreed."""
        self._page.evaluate("codec => plainMedia.speak(codec)", codec)
        self.do("renegotiate")
        self.wait_for_next("renegotiated")

    def wait_in_vain(self, seconds: float) -> None:
        """Let so much time pass in the page at once: what is due there happens now."""
        self._page.clock.fast_forward(int(seconds * 1000))

    def restart(self) -> None:
        """Look for a way to the peer anew (an ICE restart), and wait until the peer has agreed."""
        self.do("restart")
        self.wait_for_next("restarted")

    def hang_up(self) -> None:
        """End the newest call and wait until it has ended."""
        self.do("hangUp")
        self.wait_for_end()

    def wait_for_end(self) -> dict[str, Any]:
        """Wait until its next call has ended; return how."""
        return self.wait_for_next("ended")

    def ask(self, method: str, uri: str) -> dict[str, Any]:
        """Send an OPTIONS or a MESSAGE outside any call; return what was answered."""
        self.do("ask", method, uri)
        return self.wait_for_next("answered", method=method)

    def do(self, deed: str, *arguments: str) -> None:
        """Do anything that `window.phone` can."""
        self._page.evaluate(f"arguments_ => phone.{deed}(...arguments_)", list(arguments))

    # What it tells.

    def wait_for_next(self, what: str, **facts: object) -> dict[str, Any]:
        """Return the next event of a name and facts that nobody has waited for yet.  Raises TimeoutError."""
        key = f"{what} {facts}"
        self._seen[key] = self._seen.get(key, 0) + 1
        wanted = [what, facts, self._seen[key]]
        event: dict[str, Any] = self._wait_for(lambda: self._page.evaluate(_FIND, wanted), key)
        return event

    def media(self) -> dict[str, Any]:
        """Return how the browser's own media fares in its newest call, where `real_media.js` watches it."""
        state: dict[str, Any] = self._page.evaluate("realMedia.state()")
        return state

    def wait_for_media(self, *, received: int) -> dict[str, Any]:
        """Wait until so many packets of audio have come, and something in them was loud; return how it fares."""

        def enough() -> dict[str, Any] | None:
            state = self.media()
            return state if state["received"] >= received and state["energy"] > 0 else None

        state: dict[str, Any] = self._wait_for(enough, f"{received} packets of audio")
        return state

    def told(self) -> list[dict[str, Any]]:
        """Return all that it has told so far."""
        events: list[dict[str, Any]] = self._page.evaluate("told")
        return events

    # Inside.

    def _wait_for(self, found: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not (come := found()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come:\n{self.told()}\n{self._complaints}")
            self._page.wait_for_timeout(_POLL_MS)
        return come

    def _open(self) -> None:
        page = self._page
        if self._stand_in is not None:
            page.evaluate("ports => { window.plainPorts = ports; }", [ear.address[1] for ear in self._ears])
            page.add_script_tag(path=self._stand_in)
        page.add_script_tag(path=self._script)
        page.evaluate("settings => phone.start(settings)", self._settings)

    def _complained(self, what: object) -> None:
        self._complaints.append(str(what))

    def _lines(self) -> list[_Line]:
        return [_Line(**line) for line in self._page.evaluate("plainMedia.lines()")]

    def _newest(self) -> int:
        """Return the number of the newest call that is up, or else of the last one."""
        lines = self._lines()
        up = [index for index, line in enumerate(lines) if not line.closed]
        return up[-1] if up else len(lines) - 1

    def _speak_up(self) -> None:
        """Begin to send to every peer that is known by now."""
        for index, line in enumerate(self._lines()):
            if line.sdp and not line.closed and index not in self._voices:
                self._voices[index] = RtpVoice(self._ears[index], line.sdp)

    def _keys(self) -> str:
        return "".join(voice.keys() for voice in self._voices.values())

    def _fall_silent(self) -> None:
        for voice in self._voices.values():
            voice.stop()
