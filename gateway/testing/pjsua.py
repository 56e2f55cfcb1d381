"""pjsua2 (PyPI's pjsua2-python) as a peer: PJSIP's phone, in a process of its own (`gateway.testing.pjsua_phone`).

It speaks iLBC in both modes besides G.711, needs no sound card, says a WAV file, once, and writes what it hears to
another.  What it tells is kept as events, so a test waits for `confirmed`, `media`, `key` or `ended`.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gateway.testing.processes import PATIENCE_S, Command

__all__ = ["Pjsua"]


class Pjsua(Command):
    """One pjsua2 phone, registered once the `with` is entered.

    Args:
        directory: an empty directory of its own.
        user: the name it registers with.
        password: its password.
        server: `host:port` of the registrar.
        ports: a range of its own: SIP, and RTP from the fifth on.
        codecs: what it speaks, the best first: `PCMU`, `PCMA`, `ILBC`.
        ilbc_mode_ms: 20 or 30.
        answers: it answers each call at once.
        proxy: `host:port` that all of it passes through (an outbound proxy).
        session_expires_s: the session interval that it asks for (RFC 4028), 90 or more.
        srtp: `off`, `optional` (offered in `RTP/AVP`) or `mandatory` (`RTP/SAVP`).
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
        ilbc_mode_ms: int = 30,
        answers: bool = True,
        proxy: str | None = None,
        session_expires_s: int = 1800,
        srtp: str = "off",
    ) -> None:
        self.sip_port, self.rtp_ports = ports[0], range(ports[4], ports[-1])
        self.heard = directory / "heard.wav"
        """What it has heard since it was switched on; complete once it is left."""
        self.log = directory / "pjsua.log"
        """All that the library says, every SIP message among it."""
        self._seen: dict[str, int] = {}
        directory.mkdir(parents=True)
        settings = {
            "user": user,
            "password": password,
            "server": server,
            "proxy": proxy,
            "sip_port": self.sip_port,
            "rtp_port": self.rtp_ports[0],
            "rtp_range": len(self.rtp_ports) - 1,
            "codecs": list(codecs),
            "ilbc_mode_ms": ilbc_mode_ms,
            "answers": answers,
            "session_expires_s": session_expires_s,
            "srtp": ("off", "optional", "mandatory").index(srtp),
            "record": str(self.heard),
            "log": str(self.log),
        }
        (directory / "settings.json").write_text(json.dumps(settings))
        super().__init__(
            (sys.executable, "-m", "gateway.testing.pjsua_phone", str(directory / "settings.json")),
            listens=True,
        )

    def __enter__(self) -> Self:
        try:
            self.wait_for("registration", status=200)
        except BaseException:
            super().__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.process.poll() is None:
                self.switch_off()
        finally:
            super().__exit__(kind, error, trace)

    def switch_off(self) -> None:
        """Unregister, complete the recording, end."""
        assert self.process.stdin is not None, "it takes no commands"
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.wait()

    def dial(self, uri: str) -> None:
        """Call somebody and wait until both can talk."""
        self.do("dial", uri=uri)
        self.wait_for_talk()

    def wait_for_talk(self) -> None:
        """Wait until its next call is confirmed."""
        self.wait_for_next("confirmed")
        self.wait_for_next("media", state="active")

    def say(self, wav: Path) -> None:
        """Begin to say a file, once."""
        self.do("say", wav=str(wav))

    def press(self, keys: str, *, method: str = "rfc4733") -> None:
        """Press keys: `rfc4733`, or `info` (RFC 6086)."""
        self.do("press", keys=keys, method=method)

    def hold(self) -> None:
        """Put the call on hold and wait until the peer has agreed."""
        self.do("hold")
        self.wait_for_next("media", state="held")

    def resume(self) -> None:
        """Take the call from hold and wait until both can talk."""
        self.do("resume")
        self.wait_for_next("media", state="active")

    def renegotiate(self, *codecs: str) -> str:
        """Offer other codecs in a re-INVITE, and return the name of what was agreed."""
        self.do("renegotiate", codecs=codecs)
        return str(self.wait_for_next("media", state="active")["codec"])

    def transfer(self, uri: str) -> None:
        """Send the peer of the newest call to somebody else, and leave when it has got there (RFC 5589 section 6)."""
        self.do("transfer", uri=uri)

    def attend(self) -> None:
        """Join the peers of the two newest calls, and leave both (RFC 5589 section 7)."""
        self.do("attend")

    def hang_up(self) -> None:
        """End the newest call and wait until it has ended."""
        self.do("hang_up")
        self.wait_for_end()

    def wait_for_end(self) -> None:
        """Wait until its next call has ended."""
        self.wait_for_next("ended")

    def wait_for_key(self, key: str) -> None:
        """Wait until it has heard that key."""
        self.wait_for("key", digit=key)

    def keys(self) -> str:
        """Return the keys that its peers have pressed so far."""
        return "".join(event["digit"] for event in self.events("key"))

    def do(self, command: str, **arguments: object) -> None:
        """Tell it to do something."""
        self.enter(json.dumps({"do": command, **arguments}))

    def wait_for_next(self, name: str, *, within_s: float = PATIENCE_S, **facts: object) -> dict[str, Any]:
        """Return the next event of a name and facts that nobody has waited for yet.  Raises TimeoutError."""
        key = json.dumps([name, facts])
        self._seen[key] = self._seen.get(key, 0) + 1
        return self.wait_for(name, count=self._seen[key], within_s=within_s, **facts)
