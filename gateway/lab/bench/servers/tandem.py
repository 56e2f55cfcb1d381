"""Our media process, told its rows over the socket that the switch uses; signalling is left out."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import msgpack

from gateway.errors import LocalError
from gateway.ids import LegId, RoomId
from gateway.lab.bench.servers.port import PAYLOAD_TYPES, START_S, end, pinned_to
from gateway.media.commands import RowState, row_as_map
from gateway.supervisor.broker import PortBroker
from gateway.supervisor.channel import BrokerChannel, packet_pair

__all__ = ["TandemMedia"]

_PORTS: Final = range(20000, 60000, 2)
_LEDGER_BYTES: Final = 16 << 20


class TandemMedia:
    """One media process."""

    name = "tandem"

    def __init__(self, core: int, *, force_tick: bool = False) -> None:
        self._core = core
        self.force_tick = force_tick
        self._legs: list[LegId] = []
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
            preexec_fn=pinned_to(self._core),
        )
        theirs.close()
        os.close(readys_end)
        self.pid = child.pid
        stack.callback(end, child)
        channel = BrokerChannel(broker, ours)
        threading.Thread(target=_serve_broker, args=(channel,), daemon=True).start()
        if not _comes(ready, START_S):
            raise LocalError("the media process did not start")
        self._switch = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._switch.connect(str(directory / "media"))
        self._switch.settimeout(START_S)
        stack.callback(self._switch.close)
        self._unpacked = bytearray()
        self._say({"hello": 1, "epoch": 1})
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def bridge(self, codecs: tuple[str, str], ports: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        opened = [self._room(codecs, pair) for pair in ports]
        return [(a, b) for a, b in opened]

    def rooms(self, codec: str, rooms: Sequence[Sequence[int]]) -> list[list[int]]:
        return [self._room((codec,) * len(ports), ports) for ports in rooms]

    def _room(self, codecs: Sequence[str], ports: Sequence[int]) -> list[int]:
        """Open a leg for each phone and put them into one room: two are a bridge."""
        room = RoomId(secrets.token_hex(8))
        legs = [LegId(f"{room}-{number}") for number in range(len(ports))]
        opened = [self._open(leg) for leg in legs]
        for leg, codec, port in zip(legs, codecs, ports, strict=True):
            self._say({"set": row_as_map(self._row(leg, codec, port, room))})
        self._legs += legs
        return opened

    def _open(self, leg: LegId) -> int:
        """Open a leg; a process that the step before has overloaded refuses for a moment."""
        deadline = time.monotonic() + START_S
        while True:
            try:
                self._say({"open": leg})
                port: int = self._hear("opened")["port"]
                return port
            except LocalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.25)

    def _row(self, leg: LegId, codec: str, port: int, room: RoomId) -> RowState:
        return RowState(
            leg=leg,
            generation=1,
            remote=("127.0.0.1", port),
            remote_rtcp=None,
            send_codec=codec,
            send_pt=PAYLOAD_TYPES[codec],
            ptime_ms=20,
            receive={PAYLOAD_TYPES[codec]: codec},
            event_send_pt=101,
            event_receive_pt=101,
            sending=True,
            receiving=True,
            room=room,
            force_tick=self.force_tick,
        )

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


def _comes(descriptor: int, within_s: float, *, or_goes: bool = False) -> bool:
    """Wait until there is something to read, or until one can write; by poll, which knows descriptors over 1023."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | (select.POLLOUT if or_goes else 0))
    return bool(poll.poll(1000 * within_s))


def _serve_broker(channel: BrokerChannel) -> None:
    while True:
        _comes(channel.fileno(), 0.05, or_goes=bool(channel.writing))
        if not channel.serve(time.monotonic()):
            return
