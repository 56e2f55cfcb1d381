"""Janus' AudioBridge with plain RTP participants at 8 kHz, steered by JSON over a Unix socket."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

from gateway.errors import LocalError
from gateway.lab.bench.servers.port import PAYLOAD_TYPES, START_S, end, pinned_to

__all__ = ["Janus", "janus_installed"]

_PLUGIN: Final = "janus.plugin.audiobridge"
_PORTS: Final = "20000-59999"
_MESSAGE_BYTES: Final = 1 << 20
_STARTS: Final = 10


def janus_installed() -> bool:
    """Is there a conference server to compare with?"""
    return shutil.which("janus") is not None and _modules("plugins") is not None


def _modules(kind: str) -> Path | None:
    """Return the folder of Janus' plugins or transports; where it is depends on the distribution."""
    folders = [*Path("/usr/lib").glob(f"*/janus/{kind}"), Path("/usr/lib/janus") / kind]
    return next((folder for folder in folders if folder.is_dir()), None)


def _all_but(kind: str, wanted: str) -> str:
    folder = _modules(kind)
    assert folder is not None  # janus_installed() looked
    return ",".join(sorted({path.name for path in folder.glob("*.so")} - {wanted}))


def _configuration(folder: Path, control: Path) -> dict[str, str]:
    """Return the files of a Janus that is nothing but an AudioBridge."""
    return {
        "janus.jcfg": f"""
general: {{ configs_folder="{folder}" plugins_folder="{_modules("plugins")}"
  transports_folder="{_modules("transports")}" debug_level=0 session_timeout=0 protected_folders=[] }}
plugins: {{ disable="{_all_but("plugins", "libjanus_audiobridge.so")}" }}
transports: {{ disable="{_all_but("transports", "libjanus_pfunix.so")}" }}
""",
        "janus.transport.pfunix.jcfg": f'general: {{ enabled=true json="compact" path="{control}" }}',
        f"{_PLUGIN}.jcfg": f'general: {{ local_ip="127.0.0.1" rtp_port_range="{_PORTS}" }}',
    }


class Janus:
    """One Janus; rooms are all it has."""

    name = "janus"

    def __init__(self, core: int) -> None:
        self._core = core
        self._resources = contextlib.ExitStack()
        self._rooms_made = 0
        self._session = 0
        self.pid = 0

    def __enter__(self) -> Self:
        self._start()
        return self

    def _start(self) -> None:
        """Start a process; one in some hangs before it opens its control socket, and is given up."""
        for _ in range(_STARTS):
            if self._starts():
                self._session = self._ask(janus="create")["data"]["id"]
                self._desk = self._attach()
                return
            self._resources.close()
        raise LocalError("janus did not start")

    def _starts(self) -> bool:
        folder = Path(self._resources.enter_context(tempfile.TemporaryDirectory()))
        control = folder / "control"
        for name, text in _configuration(folder, control).items():
            (folder / name).write_text(text)
        child = subprocess.Popen(
            ["janus", "-F", str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=pinned_to(self._core),
        )
        self._resources.callback(end, child)
        self.pid = child.pid
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._resources.callback(self._control.close)
        self._control.settimeout(START_S)
        return self._connects(control)

    def _connects(self, control: Path) -> bool:
        deadline = time.monotonic() + START_S / _STARTS
        while time.monotonic() < deadline:
            try:
                self._control.connect(str(control))
            except OSError:
                time.sleep(0.05)
            else:
                return True
        return False

    def _attach(self) -> int:
        handle: int = self._ask(janus="attach", session_id=self._session, plugin=_PLUGIN)["data"]["id"]
        return handle

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def bridge(self, codecs: tuple[str, str], ports: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        raise LocalError("janus mixes rooms; it is no peer for bridges")

    def rooms(self, codec: str, rooms: Sequence[Sequence[int]]) -> list[list[int]]:
        return [self._room(codec, ports) for ports in rooms]

    def _room(self, codec: str, ports: Sequence[int]) -> list[int]:
        self._rooms_made += 1
        room = self._rooms_made
        self._tell(self._desk, request="create", room=room, sampling_rate=8000, allow_rtp_participants=True)
        return [self._join(room, codec, port) for port in ports]

    def _join(self, room: int, codec: str, port: int) -> int:
        rtp = {"ip": "127.0.0.1", "port": port, "payload_type": PAYLOAD_TYPES[codec]}
        joined = self._tell(self._attach(), request="join", room=room, codec=codec, rtp=rtp)
        there: int = joined["rtp"]["port"]
        return there

    def clear(self) -> None:
        """Start another process: one that was overloaded may answer nothing for minutes."""
        self._resources.close()
        self._start()

    def _tell(self, handle: int, **body: Any) -> dict[str, Any]:
        reply = self._ask(janus="message", session_id=self._session, handle_id=handle, body=body)
        data: dict[str, Any] = reply["plugindata"]["data"]
        if "error" in data:
            raise LocalError(f"janus: {data['error']}")
        return data

    def _ask(self, **message: Any) -> dict[str, Any]:
        transaction = secrets.token_hex(6)
        self._control.send(json.dumps(message | {"transaction": transaction}).encode())
        while True:
            reply: dict[str, Any] = json.loads(self._control.recv(_MESSAGE_BYTES))
            if reply.get("transaction") == transaction and reply["janus"] != "ack":
                if reply["janus"] == "error":
                    raise LocalError(f"janus: {reply['error']['reason']}")
                return reply
