"""The real commands in processes of their own: `tandem serve`, `tandem call`, `tandem answer`.

Everything a process says on stderr is kept; what is JSON there is an event, and a test waits for the event
that it needs.  `Serving` has ports, a data directory and a directory for temporary files of its own, and when
it is left it proves that nothing stays behind: no process, no bound port, no temporary file.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["PATIENCE_S", "TANDEM", "Command", "Outcome", "Serving", "bound_ports", "free_block", "tandem"]

TANDEM: Final = (sys.executable, "-m", "gateway")
"""The command of this environment."""
PATIENCE_S: Final = 20.0
_DATABASE: Final = "/tandem."
"""With its log, and the journal beside it."""
_FIRST_PORT: Final = 12_000
_BLOCK_PORTS: Final = 200
_BLOCKS: Final = 80
"""Up to the fixed ports of `gateway.testing.ports`."""


_block_numbers = itertools.count(37 * os.getpid())  # far from those of the next test process


def free_block() -> range:
    """Return ports below the range that the kernel hands out, the first three of which are free just now."""
    for _ in range(_BLOCKS):
        first = _FIRST_PORT + _BLOCK_PORTS * (next(_block_numbers) % _BLOCKS)
        if not bound_ports() & {first, first + 1, first + 2}:
            return range(first, first + _BLOCK_PORTS)
    raise OSError("no block of ports is free")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    status: int
    printed: str
    complaints: str

    @property
    def report(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.printed)


class Command:
    """A running process: what it says on stdout is kept, each line on stderr at once, as text and as events."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        listens: bool = False,
    ) -> None:
        """`environment` is added to ours; `directory` is where it runs; with `listens` it takes what is entered."""
        self.process = subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.PIPE if listens else subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(environment or {})},
            cwd=directory,
        )
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._printed: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stderr, self._lines), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stdout, self._printed), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what was typed to it last is of no use to it now
                    stream.close()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def complaints(self) -> str:
        """Return all of stderr so far."""
        with self._changed:
            return "".join(self._lines)

    def printed(self) -> str:
        """Return all of stdout so far."""
        with self._changed:
            return "".join(self._printed)

    def events(self, name: str | None = None, **facts: object) -> list[dict[str, Any]]:
        """Return the events so far, in order: all of them, or those of a name that have these facts."""
        with self._changed:
            return [
                event
                for event in self._events
                if name in (None, event.get("event")) and facts.items() <= event.items()
            ]

    def wait_for(
        self, name: str, *, count: int = 1, within_s: float = PATIENCE_S, **facts: object
    ) -> dict[str, Any]:
        """Return the `count`th event of `name` with these facts, waiting until it is there.

        Raises:
            TimeoutError: it was not told in time, or the process has ended; with everything that was.
        """
        self._wait(lambda: len(self.events(name, **facts)) >= count, f"{name} {facts}", within_s)
        return self.events(name, **facts)[count - 1]

    def wait_for_line(self, part: str, *, within_s: float = PATIENCE_S) -> str:
        """Return the first line of stderr or stdout that contains `part`.  Raises TimeoutError."""
        self._wait(lambda: self._line(part) is not None, repr(part), within_s)
        line = self._line(part)
        assert line is not None  # the wait has just seen it
        return line

    def enter(self, line: str) -> None:
        """Type a line to a process that listens.  Raises BrokenPipeError if it has ended."""
        assert self.process.stdin is not None, "it does not listen"
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def tell(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self.process.send_signal(number)

    def wait(self, *, within_s: float = PATIENCE_S) -> int:
        """Return the exit status once the process has ended and all it said is read."""
        status = self.process.wait(within_s)
        for reader in self._readers:
            reader.join(within_s)
        return status

    def outcome(self, *, within_s: float = 30.0) -> Outcome:
        """Wait for the end and return all of it."""
        status = self.wait(within_s=within_s)
        return Outcome(status, self.printed(), self.complaints())

    def report(self, *, within_s: float = PATIENCE_S) -> Any:
        """Wait for the end and return stdout as the one JSON document that it is."""
        self.wait(within_s=within_s)
        try:
            return json.loads(self.printed())
        except ValueError:
            raise AssertionError(f"no JSON: {self.printed()!r}\n{self.complaints()}") from None

    def _line(self, part: str) -> str | None:
        with self._changed:
            return next((line for line in (*self._lines, *self._printed) if part in line), None)

    def _wait(self, come: Any, what: str, within_s: float) -> None:
        with self._changed:
            deadline = time.monotonic() + within_s
            while not come():
                alive = any(reader.is_alive() for reader in self._readers)
                if not alive or not self._changed.wait(deadline - time.monotonic()):
                    if come():
                        return
                    raise TimeoutError(f"{what} did not come:\n{self.complaints()}{self.printed()}")

    def _read(self, stream: Any, kept: list[str]) -> None:
        for line in stream:
            with self._changed:
                kept.append(line)
                if kept is self._lines and line.startswith("{"):
                    with contextlib.suppress(ValueError):  # whoever is killed may leave half a line
                        self._events.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


def tandem(*arguments: str, environment: Mapping[str, str] | None = None, within_s: float = 30.0) -> Outcome:
    """Run one `tandem` command to its end."""
    with Command((*TANDEM, *arguments), environment=environment) as command:
        return command.outcome(within_s=within_s)


SILENT: Final = '[speech]\nengine = "off"\n'
UNRECORDED: Final = "[recording]\nenabled = false\n"


class Serving(Command):
    """A running `tandem serve`.  Leave the `with` to end it and to see that nothing of it is left.

    Args:
        directory: an empty directory of its own.
        program: the command `tandem`.
        settings: TOML that is added to the configuration of ports.
        media_settings: TOML lines for the section `[media]`.
        speech: whether anybody speaks; it is one more process, and most tests do without.
        recording: whether anybody records; likewise.
        media_ports: more RTP ports than the block of its own has.
        listen: where SIP is spoken besides its own port: `ws:127.0.0.1:5066`.
        environment: added to the process's.
    """

    def __init__(
        self,
        directory: Path,
        *,
        program: Sequence[str] = TANDEM,
        settings: str = "",
        media_settings: str = "",
        speech: bool = False,
        recording: bool = False,
        media_ports: range | None = None,
        listen: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.program = tuple(program)
        self.data = directory / "data"
        self.temporary = directory / "temporary"
        self.temporary.mkdir(parents=True)
        self.ports = free_block()
        self.sip_port, self.http_port = self.ports[0], self.ports[1]
        self.media_ports = media_ports or self.ports[4:]
        self.config = directory / "tandem.toml"
        self.config.write_text(
            f"[sip]\nlisten = {json.dumps([f'udp:{self.address}', f'tcp:{self.address}', *listen])}\n"
            f'[http]\nlisten = "127.0.0.1:{self.http_port}"\n'
            f'[log]\nformat = "json"\n'
            f'[media]\nports = "{self.media_ports[0]}-{self.media_ports[-1]}"\n{media_settings}\n'
            f"{'' if speech else SILENT}{'' if recording else UNRECORDED}{settings}\n"
        )
        super().__init__(
            (*self.program, "serve", "--config", str(self.config), "--data", str(self.data)),
            environment={**(environment or {}), "TMPDIR": str(self.temporary)},
        )

    def __enter__(self) -> Self:
        try:
            self.wait_for("supervisor.ready")
            status, _ = self.get("/healthz")
            assert status == 200, f"/healthz answers {status}"
        except BaseException:
            super().__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.process.poll() is None:
                self.tell(signal.SIGINT)
            status = self.wait()
        finally:
            super().__exit__(kind, error, trace)
        if kind is None:
            assert status in (0, -signal.SIGKILL), f"tandem serve exited with {status}:\n{self.complaints()}"
            self.assert_nothing_is_left(files=status == 0)  # who is killed cannot tidy up

    @property
    def address(self) -> str:
        """Where SIP is spoken, `host:port`."""
        return f"127.0.0.1:{self.sip_port}"

    def password(self, user: str) -> str:
        """Return the password of a user who was made at the start: alice or bob."""
        return str(tomllib.loads((self.data / "secrets.toml").read_text())[user])

    def login(self, user: str) -> tuple[str, ...]:
        """Return the options that make `tandem call` that user."""
        return ("--user", user, "--password", self.password(user))

    def uri(self, user: str) -> str:
        """Return the SIP URI of somebody here."""
        return f"sip:{user}@{self.address}"

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of an HTTP GET once the switch has closed its end: it holds nothing of ours."""
        with socket.create_connection(("127.0.0.1", self.http_port), timeout=PATIENCE_S) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: tandem\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    def child(self, name: str) -> int:
        """Return the process id of `media` or `switch`, the newest one."""
        return int(self.events("child.started", child=name)[-1]["pid"])

    def call(self, user: str, *options: str, caller: str = "alice") -> Outcome:
        """Run `tandem call` to somebody here, with a JSON report."""
        with self.calling(user, *options, caller=caller) as command:
            return command.outcome()

    def calling(self, user: str, *options: str, caller: str = "alice") -> Command:
        """Start `tandem call` to somebody here."""
        return Command((*self.program, "call", self.uri(user), *self.login(caller), "--json", *options))

    def answering(self, user: str, *options: str) -> Command:
        """Start `tandem answer` as somebody here, and wait until calls can come."""
        registrar = f"sip:{self.address}"
        phone = Command((*TANDEM, "answer", "--registrar", registrar, *self.login(user), "--json", *options))
        phone.wait_for_line("ready for calls")
        return phone

    def census(self) -> dict[str, int]:
        """Return how many of each thing the switch holds, by its own count."""
        held: dict[str, int] = json.loads(self.get("/healthz")[1])["census"]
        return held

    def descriptors(self) -> dict[str, int]:
        """Return how many descriptors each process has open, by the kernel's count.

        Not those of the database: each of its few threads opens it when it is first needed, and keeps it.
        """
        pids = {"supervisor": self.pid, "media": self.child("media"), "switch": self.child("switch")}
        return {name: sum(_DATABASE not in each for each in _open_files(pid)) for name, pid in pids.items()}

    def assert_nothing_is_left(self, *, files: bool) -> None:
        """See that no process, no bound port and (with `files`) no temporary file is there any more."""
        left = processes_of(self.temporary)
        assert not left, f"processes are left: {left}"
        ports = bound_ports() & set(self.ports)
        assert not ports, f"ports are still bound: {sorted(ports)}"
        found = sorted(str(each) for each in self.temporary.rglob("*"))
        assert not (files and found), f"temporary files are left: {found}"


def processes_of(temporary: Path) -> list[str]:
    """Return the command lines of the processes whose TMPDIR is that directory."""
    mark, found = f"TMPDIR={temporary}\0".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes() + b"\0":
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has just ended, or is another user's
    return [line for line in found if line]  # a zombie has no command line


def _open_files(pid: int) -> Iterator[str]:
    """Yield what each descriptor of a process is open on."""
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # it has just been closed
            yield os.readlink(entry.path)


def bound_ports() -> set[int]:
    """Return the ports on which UDP is bound or TCP listens on this machine (proc(5), /proc/net)."""
    listening, ports = "0A", set()
    for name in ("udp", "tcp", "udp6", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if name.startswith("udp") or state == listening:
                ports.add(int(local.rpartition(":")[2], 16))
    return ports
