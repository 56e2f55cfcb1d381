"""rtpengine-daemon in userspace, steered by its ng protocol (bencode over UDP)."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import Any, Final, Self

from gateway.errors import LocalError
from gateway.lab.bench.servers.port import PAYLOAD_TYPES, START_S, end, pinned_to

__all__ = ["Rtpengine", "rtpengine_installed"]

_NAMES: Final = {"pcmu": "PCMU", "pcma": "PCMA", "g729": "G729", "ilbc": "iLBC"}


def rtpengine_installed() -> bool:
    """Is there a peer to compare with?"""
    return shutil.which("rtpengine") is not None


class Rtpengine:
    """One rtpengine; it has no rooms."""

    name = "rtpengine"

    def __init__(self, core: int) -> None:
        self._core = core
        self._resources = contextlib.ExitStack()
        self._calls: list[str] = []
        self.pid = 0

    def __enter__(self) -> Self:
        self._control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._control.settimeout(START_S)
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
            preexec_fn=pinned_to(self._core),
        )
        self._resources.callback(end, child)
        self.pid = child.pid
        self._control.connect(("127.0.0.1", port))
        self._wait_until_it_answers()
        return self

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_S
        self._control.settimeout(0.3)
        while time.monotonic() < deadline:
            try:
                if self._ask({"command": "ping"})["result"] == "pong":
                    self._control.settimeout(START_S)
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
            offer["codec"] = {"mask": [_NAMES[codecs[0]]], "transcode": [_NAMES[codecs[1]]]}
        b_port = _media_port(self._ask(offer)["sdp"])
        answer = common | {"command": "answer", "to-tag": "b", "sdp": _sdp(codecs[1], ports[1])}
        a_port = _media_port(self._ask(answer)["sdp"])
        self._calls.append(call)
        return a_port, b_port

    def rooms(self, codec: str, rooms: Sequence[Sequence[int]]) -> list[list[int]]:
        raise LocalError("rtpengine has no conferences")

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
    media = [
        f"m=audio {port} RTP/AVP {pt}",
        f"a=rtpmap:{pt} {_NAMES[codec]}/8000",
        "a=ptime:20",
        "a=sendrecv",
    ]
    if codec == "ilbc":
        media.append(f"a=fmtp:{pt} mode=20")
    return "\r\n".join(("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", *media, ""))


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
