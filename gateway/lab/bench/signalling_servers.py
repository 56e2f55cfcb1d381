"""The servers whose signalling is measured: the whole of `tandem serve`, and Kamailio where it is installed.

Each is pinned to one core with all its processes.  Both ask the caller for a password and put the call through to
one address; Kamailio as a stateful proxy that stays in the path (tm and rr) in one worker process.  A proxy passes
messages on, where a back-to-back user agent has two legs with ports, descriptions and dialogs of their own: its
figure is what signalling alone can be, not what a switch could reach.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, Protocol, Self

from gateway.errors import LocalError
from gateway.lab.bench.servers.port import START_S, cpu_seconds, end, pinned_to

__all__ = [
    "CALLEE_HOST",
    "NUMBER",
    "PASSWORD",
    "KamailioProxy",
    "SignallingServer",
    "TandemSwitch",
    "bound",
    "free_port",
    "kamailio_installed",
]

CALLEE_HOST: Final = "127.0.0.2"
"""Where the callee is; the caller is at 127.0.0.1."""
NUMBER: Final = "+46700000001"
PASSWORD: Final = "secret"
"""Of the user alice."""
_HOST: Final = "127.0.0.1"
_LOOK_S: Final = 0.05


class SignallingServer(Protocol):
    """Something that puts calls through."""

    name: str
    port: int
    """Where it speaks SIP over UDP, at 127.0.0.1."""

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU time of each of its processes, by what they do."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class TandemSwitch:
    """A whole switch with the user alice, and a trunk that leads to the callee.

    Args:
        core: where all its processes run.
        callee_port: where the callee listens, at 127.0.0.2.
        settings: more of the configuration, in TOML.
    """

    name = "tandem"

    def __init__(self, core: int, callee_port: int, *, settings: str = "") -> None:
        self._core = core
        self._settings = settings
        self._callee_port = callee_port
        self._resources = contextlib.ExitStack()
        self.port = free_port()
        self.http_port = free_port(socket.SOCK_STREAM)
        self.pids: dict[str, int] = {}

    def __enter__(self) -> Self:
        directory = Path(self._resources.enter_context(tempfile.TemporaryDirectory()))
        log = directory / "log"
        configuration = directory / "tandem.toml"
        configuration.write_text(
            f'[sip]\nlisten = ["udp:{_HOST}:{self.port}"]\n'
            f'[http]\nlisten = "{_HOST}:{self.http_port}"\n[log]\nformat = "json"\n'
            f'[[users]]\nname = "alice"\npassword = "{PASSWORD}"\n'
            f'[[trunks]]\nname = "callee"\nuri = "sip:{CALLEE_HOST}:{self._callee_port};transport=udp"\n'
            f'codecs = ["PCMU"]\nping_s = 0\n{self._settings}\n'
        )
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gateway",
                "serve",
                "--config",
                configuration,
                "--data",
                directory / "data",
            ],
            stdout=subprocess.DEVNULL,
            stderr=self._resources.enter_context(log.open("wb")),
            preexec_fn=pinned_to(self._core),
        )
        self._resources.callback(end, child)
        self.pids = {"supervisor": child.pid} | self._children(log, child)
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU time of each process."""
        return {name: cpu_seconds(pid) for name, pid in self.pids.items()}

    def _children(self, log: Path, child: subprocess.Popen[bytes]) -> dict[str, int]:
        """Wait until it is ready; return the processes that it says it has started."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and child.poll() is None:
            told = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
            if any(event["event"] == "supervisor.ready" for event in told):
                return {event["child"]: event["pid"] for event in told if event["event"] == "child.started"}
            time.sleep(_LOOK_S)
        self.__exit__()
        raise LocalError("tandem serve did not start")


_KAMAILIO: Final = """\
debug=0
children=1
auto_aliases=no
enable_tls=no
disable_tcp=yes
listen=udp:{host}:{port}
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route() || (is_method("ACK") && t_check_trans())) t_relay();
        exit;
    }}
    if (t_precheck_trans()) {{ t_check_trans(); exit; }}
    t_check_trans();
    if (!pv_www_authenticate("tandem", "{password}", "0")) {{ www_challenge("tandem", "1"); exit; }}
    consume_credentials();
    record_route();
    $du = "sip:{callee_host}:{callee_port}";
    t_relay();
}}
"""


def kamailio_installed() -> bool:
    """Is there a proxy to compare with?"""
    return _kamailio() is not None


def _kamailio() -> str | None:
    return shutil.which("kamailio", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class KamailioProxy:
    """A stateful proxy with one worker process."""

    name = "kamailio"

    def __init__(self, core: int, callee_port: int) -> None:
        self._core = core
        self._callee_port = callee_port
        self._resources = contextlib.ExitStack()
        self.port = free_port()
        self._pid = 0

    def __enter__(self) -> Self:
        program = _kamailio()
        assert program is not None  # kamailio_installed() looked
        directory = Path(self._resources.enter_context(tempfile.TemporaryDirectory()))
        configuration = directory / "kamailio.cfg"
        callee = {"callee_host": CALLEE_HOST, "callee_port": self._callee_port}
        files = ("-f", configuration, "-P", directory / "pid", "-Y", directory)
        configuration.write_text(_KAMAILIO.format(host=_HOST, port=self.port, password=PASSWORD, **callee))
        child = subprocess.Popen(
            [program, "-DD", "-E", "-m", "512", "-M", "16", *files],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=pinned_to(self._core),
        )
        self._resources.callback(end, child)
        self._pid = child.pid
        deadline = time.monotonic() + START_S
        while not bound(self.port):
            if child.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise LocalError("kamailio did not start")
            time.sleep(_LOOK_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU time of all its processes together."""
        return {"kamailio": sum(cpu_seconds(pid) for pid in (self._pid, *_children_of(self._pid)))}


def _children_of(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in children.read_text().split()]


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """Return a port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def bound(port: int) -> bool:
    """Tell whether somebody listens on a UDP port."""
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(int(line.split()[1].rpartition(":")[2], 16) == port for line in lines)
