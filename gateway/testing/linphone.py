"""linphonec (Debian's linphone-cli) as a peer: a SIP phone that nobody here wrote, steered by what is typed to it.

It needs no sound card: told to use files, it says the WAV file that it is given, once, and writes what it hears
to another.  Its log goes to stdout, where each step of a call is a line that a test can wait for.  It is one of
few phones that speak G.729, with bcg729 inside.  Its configuration is a file that it writes anew at the end, so
each phone has a home of its own.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gateway.testing.processes import PATIENCE_S, Command

__all__ = ["Linphone"]

_CODECS: Final = ("opus/48000/2", "speex/16000", "speex/8000", "PCMU/8000", "PCMA/8000", "G729/8000")
"""What it would offer by itself."""
_UNTOUCHED: Final = """\
[sound]
echocancellation=0
echolimiter=0
agc=0
noisegate=0
[net]
adaptive_rate_control=0
"""
"""No step between the codec and the file that would change the audio."""


class Linphone(Command):
    """One linphonec, registered once the `with` is entered; it answers every call at once.

    Args:
        directory: an empty directory of its own.
        user: the name it registers with.
        password: its password.
        server: `host:port` of the registrar.
        ports: a range of its own: SIP, and RTP from the fifth on.
        codecs: what it speaks, the best first: `PCMU`, `PCMA`, `G729`.
        format_parameters: the fmtp it writes for the first of them, `annexb=no`.
        proxy: `host:port` that all of it passes through (an outbound proxy); the registrar itself if not given.
        srtp: it offers SRTP, in `RTP/SAVP`, and takes no call without it.
        transport: how SIP travels: `udp`, or `tls` with whatever certificate.
    """

    def __init__(
        self,
        directory: Path,
        *,
        user: str,
        password: str,
        server: str,
        ports: range,
        codecs: Iterable[str] = ("PCMU",),
        format_parameters: str = "",
        proxy: str | None = None,
        srtp: bool = False,
        transport: str = "udp",
    ) -> None:
        program = shutil.which("linphonec")
        assert program, "linphonec is not installed (Debian: apt install linphone-cli)"
        self.sip_port, self.rtp_ports = ports[0], range(ports[4], ports[-1])
        self.heard = directory / "heard.wav"
        """What it has heard since it was switched on; complete once the call has ended."""
        self._read_to = 0
        (directory / ".local/share/linphone").mkdir(parents=True)
        configuration = directory / "linphonerc"
        configuration.write_text(
            self._account(user, password, server, proxy or server, srtp=srtp, transport=transport)
            + _codec_sections(tuple(codecs), format_parameters)
            + _UNTOUCHED
        )
        super().__init__(
            (program, "-a", "-d", "6", "-c", str(configuration)),
            environment={"HOME": str(directory)},
            directory=directory,
            listens=True,
        )

    def __enter__(self) -> Self:
        try:
            self.wait_for_next("LinphoneRegistrationOk")
            self.enter("soundcard use files")
            self.enter(f"record {self.heard}")
        except BaseException:
            super().__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with contextlib.suppress(BrokenPipeError):
                self.enter("quit")  # it unregisters and closes its files
            self.wait()
        finally:
            super().__exit__(kind, error, trace)

    def dial(self, uri: str) -> None:
        """Call somebody and wait until both can talk."""
        self.enter(f"call {uri}")
        self.wait_for_talk()

    def wait_for_talk(self) -> None:
        """Wait until its streams run: after an answer, or anew after a hold."""
        self.wait_for_next("to LinphoneCallStreamsRunning")

    def say(self, wav: Path) -> None:
        """Begin to say a file, once."""
        self.enter(f"play {wav}")

    def press(self, key: str) -> None:
        """Press a key: RFC 4733 to the peer."""
        self.enter(key)

    def hold(self) -> None:
        """Put the call on hold and wait until the peer has agreed."""
        self.enter("pause")
        self.wait_for_next("to LinphoneCallPaused")

    def resume(self) -> None:
        """Take the call from hold and wait until both can talk."""
        self.enter("resume")
        self.wait_for_talk()

    def transfer(self, uri: str) -> None:
        """Send the peer to somebody else (a blind transfer, RFC 5589 section 6)."""
        self.enter(f"transfer {uri}")

    def hang_up(self) -> None:
        """End the call and wait until it has ended."""
        self.enter("terminate")
        self.wait_for_end()

    def wait_for_end(self) -> None:
        """Wait until its call has ended and its files are complete."""
        self.wait_for_next("to LinphoneCallReleased")

    def wait_for_next(self, part: str, *, within_s: float = PATIENCE_S) -> None:
        """Wait for a text in its log behind the one that was waited for last.  Raises TimeoutError."""
        self._wait(lambda: part in self.printed()[self._read_to :], repr(part), within_s)
        self._read_to = self.printed().index(part, self._read_to) + len(part)

    def wait_for_key(self, key: str) -> None:
        """Wait until it has heard that key."""
        self.wait_for_line(f"Receiving tone {key}")

    def keys(self) -> str:
        """Return the keys that its peers have pressed so far."""
        return "".join(re.findall(r"Receiving tone (\S)", self.printed()))

    def _account(
        self, user: str, password: str, server: str, proxy: str, *, srtp: bool, transport: str
    ) -> str:
        return f"""\
[sip]
sip_port={self.sip_port}
sip_tcp_port=-1
sip_tls_port=-1
bind_address=127.0.0.1
guess_hostname=0
use_ipv6=0
media_encryption={"srtp" if srtp else "none"}
media_encryption_mandatory={int(srtp)}
verify_server_certs=0
verify_server_cn=0
default_proxy=0
[rtp]
audio_adaptive_jitt_comp_enabled=0
audio_jitt_comp=60
audio_rtp_port={self.rtp_ports[0]}-{self.rtp_ports[-1]}
[proxy_0]
reg_proxy=<sip:{proxy};transport={transport}>
reg_route=<sip:{proxy};transport={transport};lr>
reg_identity=sip:{user}@{server}
reg_sendregister=1
reg_expires=600
[auth_info_0]
username={user}
userid={user}
passwd={password}
"""


def _codec_sections(wanted: tuple[str, ...], format_parameters: str) -> str:
    """Return a section for each codec it has, those that are wanted first, the others switched off."""
    names = {codec.partition("/")[0]: codec for codec in _CODECS}
    order = [
        *(names[name] for name in wanted),
        *(codec for codec in _CODECS if codec.partition("/")[0] not in wanted),
    ]
    return "".join(
        _codec_section(index, codec, index < len(wanted), format_parameters if index == 0 else "")
        for index, codec in enumerate(order)
    )


def _codec_section(index: int, codec: str, enabled: bool, format_parameters: str) -> str:
    name, rate, channels, *_ = (*codec.split("/"), "1")
    fmtp = f"recv_fmtp={format_parameters}\n" if format_parameters else ""
    return f"[audio_codec_{index}]\nmime={name}\nrate={rate}\nchannels={channels}\nenabled={int(enabled)}\n{fmtp}"
