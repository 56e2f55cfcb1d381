"""baresip (Debian's baresip-core) as a peer: a SIP phone that nobody here wrote, steered over its control port.

It needs no sound card: what it says comes from a WAV file, what it hears is written to one by its `sndfile`
filter.  A call ends when the WAV file does, so make the file longer than the call.  It listens for SIP on one
port and takes the next one for TLS.
"""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from gateway.testing.processes import PATIENCE_S, Command

__all__ = ["Baresip"]

_MODULES: Final = ("stdio.so", "g711.so", "aufile.so", "sndfile.so", "srtp.so")
_MODULE_PATHS: Final = (
    "/usr/lib/baresip/modules",
    "/usr/lib/x86_64-linux-gnu/baresip/modules",
    "/usr/local/lib/baresip/modules",
)


class Baresip(Command):
    """One baresip, registered once the `with` is entered.

    Args:
        directory: an empty directory of its own.
        user: the name it registers with.
        password: its password.
        server: `host:port` of the registrar.
        ports: a range of its own: SIP, TLS, control, and the rest for RTP.
        codec: the only codec it speaks, `PCMU` or `PCMA`.
        says: a WAV file of 8 kHz that is longer than any call.
        srtp: it offers SRTP, as best effort in `RTP/AVP`.
        authority: a PEM file with who vouches for the registrar: SIP goes by TLS then.
    """

    def __init__(
        self,
        directory: Path,
        *,
        user: str,
        password: str,
        server: str,
        ports: range,
        codec: str,
        says: Path,
        srtp: bool = False,
        authority: Path | None = None,
    ) -> None:
        program = shutil.which("baresip")
        assert program, "baresip is not installed (Debian: apt install baresip-core)"
        self._directory = directory
        self.sip_port, self._control_port = ports[0], ports[2]
        self.rtp_ports = range(ports[4], ports[-1])
        directory.mkdir(parents=True)
        (directory / "contacts").touch()
        trusted = "" if authority is None else f"sip_cafile {authority}\n"
        (directory / "config").write_text(self._configuration(says) + trusted)
        encryption = ";mediaenc=srtp" if srtp else ""
        transport = "udp" if authority is None else "tls"
        (directory / "accounts").write_text(
            f"<sip:{user}@{server};transport={transport}>;auth_user={user};auth_pass={password}"
            f';outbound="sip:{server};transport={transport}";regint=600;answermode=auto;audio_codecs={codec}{encryption}\n'
        )
        super().__init__((program, "-v", "-f", str(directory)))
        self._control: socket.socket | None = None
        self._unread = b""

    def __enter__(self) -> Self:
        try:
            self.wait_for_line("200 OK")
            self._control = socket.create_connection(("127.0.0.1", self._control_port), PATIENCE_S)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._control is not None:
            self._control.close()
        self.process.terminate()  # it unregisters and closes its files
        try:
            self.wait()
        finally:
            super().__exit__(kind, error, trace)

    def dial(self, uri: str) -> None:
        """Call somebody and wait until it is answered."""
        self._command("dial", uri)
        self.wait_for_call("CALL_ESTABLISHED")

    def press(self, key: str) -> None:
        """Press and let go a key: RFC 4733 to the peer."""
        self._command("sndcode", key)
        self._command("sndcode", "\\x04")

    def hold(self) -> None:
        """Ask for a hold."""
        self._command("hold", "")

    def resume(self) -> None:
        """Take the call from hold."""
        self._command("resume", "")

    def transfer(self, uri: str) -> None:
        """Send the other one to somebody else."""
        self._command("transfer", uri)

    def hang_up(self) -> None:
        """End the call and wait until it has ended."""
        self._command("hangup", "")
        self.wait_for_call("CALL_CLOSED")

    def wait_for_call(self, kind: str) -> dict[str, Any]:
        """Return the next event of a kind: CALL_ESTABLISHED, CALL_CLOSED, ..."""
        return next(message for message in self._messages() if message.get("type") == kind)

    def heard(self) -> Path:
        """Return the WAV file with what the last call heard; complete once the call has ended."""
        return max(self._directory.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)

    def _command(self, command: str, parameters: str) -> None:
        assert self._control is not None, "the phone is not switched on"
        message = json.dumps({"command": command, "params": parameters, "token": "t"})
        self._control.sendall(f"{len(message)}:{message},".encode())

    def _messages(self) -> Iterator[dict[str, Any]]:
        """Yield what the control port says: netstrings of JSON.  Raises TimeoutError when it falls silent."""
        assert self._control is not None, "the phone is not switched on"
        while True:
            length, colon, rest = self._unread.partition(b":")
            if colon and len(rest) > int(length):
                body, self._unread = rest[: int(length)], rest[int(length) + 1 :]
                message: dict[str, Any] = json.loads(body)
                yield message
                continue
            piece = self._control.recv(65536)
            assert piece, f"baresip has ended:\n{self.complaints()}{self.printed()}"
            self._unread += piece

    def _configuration(self, says: Path) -> str:
        path = next((path for path in _MODULE_PATHS if Path(path).is_dir()), _MODULE_PATHS[0])
        lines = [
            "poll_method epoll",
            f"sip_listen 127.0.0.1:{self.sip_port}",
            "net_interface 127.0.0.1",
            f"module_path {path}",
            *(f"module {name}" for name in _MODULES),
            "module_tmp account.so",
            "module_app menu.so",
            "module_app ctrl_tcp.so",
            "module_app debug_cmd.so",
            f"ctrl_tcp_listen 127.0.0.1:{self._control_port}",
            f"audio_source aufile,{says}",
            "audio_player aufile,none",
            "audio_alert aufile,none",
            f"rtp_ports {self.rtp_ports[0]}-{self.rtp_ports[-1]}",
            f"snd_path {self._directory}",
        ]
        return "\n".join(lines) + "\n"
