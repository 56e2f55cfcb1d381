"""A real supervisor in a process of its own, with children that are a few lines of Python each.

Everything that the supervisor reports and the children tell arrives as one JSON record a line, so a test
waits for what it needs and never sleeps.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from gateway.testing.ports import FIRST_PORT

__all__ = ["DRAINING_SWITCH", "LEASING_MEDIA", "MOVING_MEDIA", "WELL_BEHAVED", "Supervised", "child"]

PATIENCE_S = 20.0

SUPERVISOR = """
import json, os, signal, sys
from gateway.supervisor import Plan, run

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup

def report(event, facts):
    os.write(1, json.dumps({"event": event, **facts}).encode() + b"\\n")

plan = json.loads(sys.argv[1])
first, last = plan.pop("ports")
sys.exit(run(Plan(**plan, pairs=range(first, last, 2)), report))
"""

PRELUDE = """
import json, os, signal, socket, sys

def tell(event, **facts):
    os.write(1, json.dumps({"event": event, **facts}).encode() + b"\\n")

def inherited(name):
    return int(os.environ[f"TANDEM_{name}_FD"])

def say_ready():
    os.write(inherited("READY"), b"1")

def wait_for_the_supervisor_to_die():
    os.read(inherited("LIFELINE"), 1)
"""

WELL_BEHAVED = """
say_ready()
wait_for_the_supervisor_to_die()
tell("child.orphaned", pid=os.getpid())
"""
"""Is ready, and ends when the supervisor is gone."""

DRAINING_SWITCH = """
def drain(*_):
    signal.signal(signal.SIGTERM, hang_up)
    tell("switch.draining")

def hang_up(*_):
    tell("switch.hung_up")
    os._exit(0)

signal.signal(signal.SIGTERM, drain)
signal.signal(signal.SIGINT, hang_up)
signal.signal(signal.SIGUSR1, lambda *_: os._exit(0))
say_ready()
wait_for_the_supervisor_to_die()
"""
"""Drains at SIGTERM, hangs up at the second or at SIGINT; SIGUSR1 stands for the end of the last call."""

LEASING_MEDIA = """
broker = socket.socket(fileno=inherited("BROKER"))

def hear():
    packet, descriptors, _, _ = socket.recv_fds(broker, 4096, 2)
    return json.loads(packet), descriptors

def look_at(descriptor):
    rtp = socket.socket(fileno=descriptor)
    try:
        return {"bound": rtp.getsockname()[1], "queued": rtp.recv(100).decode()}
    except BlockingIOError:
        return {"bound": rtp.getsockname()[1], "queued": None}

held = []
message, descriptors = hear()
while "leases" not in message:
    held.append({**message, **look_at(descriptors[0])})
    message, descriptors = hear()
tell("media.inherited", leases=message["leases"], held=held)
say_ready()
for leg in () if held else sys.argv[1:]:
    broker.send(json.dumps({"lease": leg}).encode())
    message, descriptors = hear()
    tell("media.answered", **message)
wait_for_the_supervisor_to_die()
"""
"""Tells the leases it inherits, with a packet that waited on each; the first one leases for its arguments."""

MOVING_MEDIA = """
broker = socket.socket(fileno=inherited("BROKER"))
worker = int(os.environ["TANDEM_WORKER"])

def hear():
    packet, descriptors, _, _ = socket.recv_fds(broker, 65536, 2)
    head, _, luggage = packet.partition(b"\\0")
    return {**json.loads(head), "luggage": luggage.decode()}, descriptors

def say(luggage=b"", **message):
    broker.send(json.dumps(message).encode() + b"\\0" + luggage)

say_ready()
while True:
    message, descriptors = hear()
    if message.get("leases") == 0 and worker == 0:
        say(lease="a")
    elif "leased" in message and worker == 0:
        for descriptor in descriptors:
            os.close(descriptor)
        say(move="a", to=1, luggage=b"all that it is")
    elif "leased" in message:
        if os.path.exists(sys.argv[1]):
            tell("media.received", **message, bound=socket.socket(fileno=descriptors[0]).getsockname()[1])
        else:
            open(sys.argv[1], "w").close()
            os._exit(1)
"""
"""The first worker leases a port and gives it to the second, which dies of it the first time."""


def child(program: str, *arguments: str) -> list[str]:
    """Return the command of a child that runs `program` after the prelude."""
    return [sys.executable, "-S", "-c", PRELUDE + program, *arguments]


class Supervised:
    """A running supervisor, and what it and its children say.

    Args:
        temporary: directory for its temporary files.
        plan: fields of `gateway.supervisor.Plan`; `ports` is [first, last].
    """

    def __init__(self, temporary: Path, **plan: object) -> None:
        told = {"address": "127.0.0.1", "ports": [FIRST_PORT, FIRST_PORT + 998], **plan}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, json.dumps(told)],
            stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
        self.heard: list[dict[str, object]] = []
        """Every record so far."""
        self._unread = b""

    def __enter__(self) -> Supervised:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def wait_for(self, event: str, **facts: object) -> dict[str, object]:
        """Return the next record of `event` with these facts.

        Raises TimeoutError when nothing is said for long, EOFError when everybody has ended.
        """
        while True:
            record = self._next_record()
            if record["event"] == event and facts.items() <= record.items():
                return record

    def wait_until_ready(self) -> dict[str, int]:
        """Return the children's process ids by name once all are ready."""
        self.wait_for("supervisor.ready")
        started = [record for record in self.heard if record["event"] == "child.started"]
        return {str(record["child"]): int(str(record["pid"])) for record in started}

    def wait_for_exit(self) -> int:
        """Return the exit status once the supervisor and everybody who shares its output have ended."""
        try:
            while True:
                self._next_record()
        except EOFError:
            return self.process.wait(PATIENCE_S)

    def tell(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        self.process.send_signal(number)

    def events(self) -> list[object]:
        """Return the names of what was heard so far."""
        return [record["event"] for record in self.heard]

    def _next_record(self) -> dict[str, object]:
        assert self.process.stdout is not None  # it was asked for at the start
        deadline = time.monotonic() + PATIENCE_S
        while b"\n" not in self._unread:
            patience_s = max(0.0, deadline - time.monotonic())
            if not select.select([self.process.stdout], [], [], patience_s)[0]:
                raise TimeoutError(f"nothing more is said after {self.heard}")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise EOFError(f"everybody has ended after {self.heard}")
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        record: dict[str, object] = json.loads(line)
        self.heard.append(record)
        return record
