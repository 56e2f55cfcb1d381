"""The servers that are measured: our media process, and rtpengine where it is installed.

Each bridges calls of two legs on loopback and is pinned to one core; signalling is left out, so that what is compared
is the carrying of media.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol, Self

import msgpack

from gateway.errors import LocalError
from gateway.supervisor.broker import PortBroker
from gateway.supervisor.channel import BrokerChannel, packet_pair

__all__ = ["PAYLOAD_TYPES", "MediaServer", "Rtpengine", "TandemMedia", "rtpengine_installed"]

PAYLOAD_TYPES: Final = {"pcmu": 0, "pcma": 8}
_PORTS: Final = range(30000, 60000, 2)
_LEDGER_BYTES: Final = 8 << 20
_START_S: Final = 10.0


class MediaServer(Protocol):
    """Something that bridges RTP."""

    name: str
    pid: int

    def bridge(self, codecs: tuple[str, str], ports: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Set up one call for each pair of phone ports; returns where each of the two phones must send."""
        ...

    def clear(self) -> None:
        """End all calls."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pin(core: int) -> Any:
    """Return what pins a server to a core, ahead of ordinary work where the machine lets us: the same for each.

    Not in real time: the kernel takes 5 % from whoever needs a whole core, and a peer did not ask for that.
    """

    def prefer() -> None:
        os.sched_setaffinity(0, {core})
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -20)

    return prefer


class TandemMedia:
    """One media process of ours, told its rows over the socket that the switch uses."""

    name = "tandem"

    def __init__(self, core: int, *, force_tick: bool = False) -> None:
        self._core = core
        self._force_tick = force_tick
        self._legs: list[str] = []
        self._resources = contextlib.ExitStack()
        self.pid = 0

    def __enter__(self) -> Self:
        stack = self._resources
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = PortBroker("127.0.0.1", _PORTS, descriptor_limit=100_000)
        ours, theirs = packet_pair()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(directory / "media"))
        listener.listen()
        ready, readys_end = os.pipe()
        ledger = os.memfd_create("ledger")
        os.truncate(ledger, _LEDGER_BYTES)
        stack.callback(os.close, ledger)
        stack.callback(os.close, ready)
        stack.callback(listener.close)
        handles = (theirs.fileno(), listener.fileno(), readys_end, ledger)
        names = ("TANDEM_BROKER_FD", "TANDEM_CONTROL_FD", "TANDEM_READY_FD", "TANDEM_LEDGER_FD")
        environment = os.environ | {name: str(fd) for name, fd in zip(names, handles, strict=True)}
        environment["TANDEM_LEDGER_BYTES"] = str(_LEDGER_BYTES)
        child = subprocess.Popen(
            [sys.executable, "-m", "gateway.transport.media_process"],
            env=environment,
            pass_fds=handles,
            stderr=subprocess.DEVNULL,
            preexec_fn=_pin(self._core),
        )
        theirs.close()
        os.close(readys_end)
        self.pid = child.pid
        stack.callback(_end, child)
        channel = BrokerChannel(broker, ours)
        threading.Thread(target=_serve_broker, args=(channel,), daemon=True).start()
        if not select.select([ready], [], [], _START_S)[0]:
            raise LocalError("the media process did not start")
        self._switch = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._switch.connect(str(directory / "media"))
        self._switch.settimeout(_START_S)
        stack.callback(self._switch.close)
        self._unpacked = bytearray()
        self._say({"hello": 1, "epoch": 1})
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def bridge(self, codecs: tuple[str, str], ports: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        return [self._call(codecs, pair) for pair in ports]

    def _call(self, codecs: tuple[str, str], ports: tuple[int, int]) -> tuple[int, int]:
        room = secrets.token_hex(8)
        legs = [f"{room}-{side}" for side in "ab"]
        opened = []
        for leg in legs:
            self._say({"open": leg})
            opened.append(self._hear("opened")["port"])
        for leg, codec, port in zip(legs, codecs, ports, strict=True):
            self._say({"set": self._row(leg, codec, port, room)})
        self._legs += legs
        return opened[0], opened[1]

    def _row(self, leg: str, codec: str, port: int, room: str) -> dict[str, Any]:
        return {
            "leg": leg,
            "generation": 1,
            "remote": ["127.0.0.1", port],
            "remote_rtcp": None,
            "send_codec": codec,
            "send_pt": PAYLOAD_TYPES[codec],
            "ptime_ms": 20,
            "receive": {PAYLOAD_TYPES[codec]: codec},
            "event_send_pt": 101,
            "event_receive_pt": 101,
            "sending": True,
            "receiving": True,
            "room": room,
            "source": None,
            "force_tick": self._force_tick,
        }

    def clear(self) -> None:
        for leg in self._legs:
            self._say({"close": leg})
        for _ in self._legs:
            self._hear("event")
        self._legs = []

    def health(self) -> dict[str, Any]:
        """Return the process's own figures."""
        self._say({"health": 1})
        health: dict[str, Any] = self._hear("health")["health"]
        return health

    def _say(self, message: dict[str, Any]) -> None:
        body = msgpack.packb(message)
        self._switch.sendall(len(body).to_bytes(4, "big") + body)

    def _hear(self, key: str) -> dict[str, Any]:
        while True:
            while len(self._unpacked) < 4 or len(self._unpacked) < 4 + int.from_bytes(
                self._unpacked[:4], "big"
            ):
                data = self._switch.recv(1 << 16)
                if not data:
                    raise LocalError("the media process ended")
                self._unpacked += data
            n = 4 + int.from_bytes(self._unpacked[:4], "big")
            message: dict[str, Any] = msgpack.unpackb(bytes(self._unpacked[4:n]), strict_map_key=False)
            del self._unpacked[:n]
            if "refused" in message:
                raise LocalError(f"the media process refused a leg: {message['reason']}")
            if key in message and message.get("event") in {None, "RowClosed"}:
                return message


def _serve_broker(channel: BrokerChannel) -> None:
    while True:
        wants = [channel.fileno()] if channel.writing else []
        select.select([channel.fileno()], wants, [], 0.05)
        if not channel.serve(time.monotonic()):
            return


def _end(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def rtpengine_installed() -> bool:
    """Is there a peer to compare with?"""
    return shutil.which("rtpengine") is not None


class Rtpengine:
    """Debian's rtpengine-daemon in userspace, steered by its ng protocol (bencode over UDP)."""

    name = "rtpengine"

    def __init__(self, core: int) -> None:
        self._core = core
        self._resources = contextlib.ExitStack()
        self._calls: list[str] = []
        self.pid = 0

    def __enter__(self) -> Self:
        self._control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._control.settimeout(_START_S)
        self._resources.callback(self._control.close)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        directory = self._resources.enter_context(tempfile.TemporaryDirectory())
        child = subprocess.Popen(
            [
                "rtpengine",
                "--foreground",
                "--log-stderr",
                "--log-level=3",
                "--interface=127.0.0.1",
                f"--listen-ng=127.0.0.1:{port}",
                "--port-min=30000",
                "--port-max=60000",
                "--table=-1",
                "--num-threads=1",
                f"--pidfile={directory}/pid",
                "--config-file=none",
            ],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=_pin(self._core),
        )
        self._resources.callback(_end, child)
        self.pid = child.pid
        self._control.connect(("127.0.0.1", port))
        self._wait_until_it_answers()
        return self

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_S
        self._control.settimeout(0.3)
        while time.monotonic() < deadline:
            try:
                if self._ask({"command": "ping"})["result"] == "pong":
                    self._control.settimeout(_START_S)
                    return
            except OSError:
                time.sleep(0.1)
        raise LocalError("rtpengine did not start")

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def bridge(self, codecs: tuple[str, str], ports: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        return [self._call(codecs, pair) for pair in ports]

    def _call(self, codecs: tuple[str, str], ports: tuple[int, int]) -> tuple[int, int]:
        call = secrets.token_hex(8)
        common: dict[str, Any] = {"call-id": call, "from-tag": "a", "ICE": "remove", "replace": ["origin"]}
        offer: dict[str, Any] = common | {"command": "offer", "sdp": _sdp(codecs[0], ports[0])}
        if codecs[0] != codecs[1]:
            offer["codec"] = {"mask": [codecs[0].upper()], "transcode": [codecs[1].upper()]}
        b_port = _media_port(self._ask(offer)["sdp"])
        answer = common | {"command": "answer", "to-tag": "b", "sdp": _sdp(codecs[1], ports[1])}
        a_port = _media_port(self._ask(answer)["sdp"])
        self._calls.append(call)
        return a_port, b_port

    def clear(self) -> None:
        for call in self._calls:
            self._ask({"command": "delete", "call-id": call, "from-tag": "a", "delete delay": 0})
        self._calls = []

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        cookie = secrets.token_hex(4).encode()
        self._control.send(cookie + b" " + _bencode(request))
        while True:
            reply = self._control.recv(65536)
            if reply.startswith(cookie + b" "):
                answer, _ = _bdecode(reply, len(cookie) + 1)
                assert isinstance(answer, dict)  # the protocol's only shape
                if answer.get("result") == "error":
                    raise LocalError(f"rtpengine: {answer.get('error-reason')}")
                return answer


def _sdp(codec: str, port: int) -> str:
    pt = PAYLOAD_TYPES[codec]
    lines = ("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0")
    media = (
        f"m=audio {port} RTP/AVP {pt}",
        f"a=rtpmap:{pt} {codec.upper()}/8000",
        "a=ptime:20",
        "a=sendrecv",
    )
    return "\r\n".join((*lines, *media, ""))


def _media_port(sdp: str) -> int:
    found = re.search(r"m=audio (\d+)", sdp)
    assert found is not None  # an answer without audio would have been an error
    return int(found[1])


def _bencode(value: Any) -> bytes:
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        return b"%d:%s" % (len(value), value.encode())
    if isinstance(value, list):
        return b"l" + b"".join(map(_bencode, value)) + b"e"
    return b"d" + b"".join(_bencode(k) + _bencode(v) for k, v in sorted(value.items())) + b"e"


def _bdecode(data: bytes, at: int) -> tuple[Any, int]:
    kind = data[at : at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1
    if kind in {b"l", b"d"}:
        items: list[Any] = []
        at += 1
        while data[at : at + 1] != b"e":
            item, at = _bdecode(data, at)
            items.append(item)
        found: Any = items if kind == b"l" else dict(zip(items[::2], items[1::2], strict=True))
        return found, at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1 : end].decode(errors="replace"), end
