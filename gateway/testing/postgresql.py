"""PostgreSQL (Debian's postgresql), a private one: its own directory, a socket in it, no port.

The server refuses to run as root; a test that does gives it to the user that the package made.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["PostgreSql", "binaries"]

_SERVER_USER: Final = "postgres"
_PATIENCE_S: Final = 20.0
_LOOK_S: Final = 0.05


def binaries() -> Path | None:
    """Return where the newest server's programs are; None = it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found and (found[-1].parent / "postgres").exists() else None


class PostgreSql:
    """A server, running while the `with` lasts but for what `kill` does."""

    def __init__(self) -> None:
        programs = binaries()
        assert programs is not None, "PostgreSQL is not installed (Debian: apt install postgresql)"
        self._programs = programs
        self._directory = Path(tempfile.mkdtemp(prefix="tandem-pg-", dir="/tmp"))  # a socket's path is short
        self._numbers = itertools.count(1)
        self._server: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:
            who = pwd.getpwnam(_SERVER_USER)
            os.chown(self._directory, who.pw_uid, who.pw_gid)
            self._as = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}

    def __enter__(self) -> Self:
        try:
            setup = ("--username=tandem", "--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8")
            self._run("initdb", "-D", str(self._data), *setup)
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = (f"unix_socket_directories={self._directory}", "listen_addresses=", "fsync=off")
        self._server = subprocess.Popen(
            (self._programs / "postgres", "-D", self._data, *(f"-c{option}" for option in options)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._directory,
            **self._as,
        )
        deadline = time.monotonic() + _PATIENCE_S
        while self._run("pg_isready", "-q", "-h", str(self._directory), check=False):
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(_LOOK_S)

    def kill(self) -> None:
        """End it as a crash would: its clients' connections break at once."""
        assert self._server is not None, "it is not running"
        self._server.send_signal(signal.SIGQUIT)  # "immediate shutdown": all its children end, too
        self._server.wait(_PATIENCE_S)
        self._server = None

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test_{next(self._numbers)}"
        self._run("createdb", "-h", str(self._directory), "-U", "tandem", name)
        return f"postgresql+asyncpg://tandem@/{name}?host={self._directory}"

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        done = subprocess.run(
            (self._programs / program, *arguments),
            capture_output=True,
            cwd=self._directory,
            check=False,
            **self._as,
        )
        assert not (check and done.returncode), f"{program}: {done.stderr.decode()}"
        return int(done.returncode)

    def _remove(self) -> None:
        if self._server is not None:
            self.kill()
        shutil.rmtree(self._directory)
