"""The two ends of a call as SIPp plays them: text that answers text, so that they cost next to nothing.

The caller is the user alice, who shows a password when she is asked for it and hangs up as soon as she is answered;
the callee rings and answers at once.  What they take is timed apart, to be left out of what the switch takes.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from typing import Final

from gateway.sip.flow import Flow

__all__ = ["CALLEE", "CALLER", "NUMBER", "PASSWORD", "SWITCH", "Parties"]

SWITCH: Final = ("127.0.0.1", 5060)
CALLER: Final = ("127.0.0.1", 5061)
CALLEE: Final = ("127.0.0.2", 5062)
NUMBER: Final = "+46700000001"
PASSWORD: Final = "secret"
_SDP: Final = (
    "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)
_QUOTED: Final = re.compile(r'(realm|nonce|algorithm)="?([^",]+)')

Send = Callable[[bytes, Flow], None]


class Parties:
    """Everybody who calls and is called."""

    def __init__(self, send: Send) -> None:
        """`send` carries a message to the switch, over the flow by which the switch gets it."""
        self._send: Final = send
        self._over: dict[str, asyncio.Future[None]] = {}
        self._serial = 0
        self.messages = 0
        """How many the switch has got and sent."""
        self.cpu_ns = 0
        """What the parties themselves have taken."""

    async def call(self) -> None:
        """Make a call; return when its BYE was answered."""
        self._serial += 1
        call_id = f"{self._serial}-{id(self)}@{CALLER[0]}"
        over = self._over[call_id] = asyncio.get_running_loop().create_future()
        self._say(self._invite(call_id, 1), CALLER)
        await over
        del self._over[call_id]

    def hear(self, data: bytes, remote: tuple[str, int]) -> None:
        """Take what the switch has sent to one of them."""
        began = time.thread_time_ns()
        self.messages += 1
        head, _, _ = data.decode().partition("\r\n\r\n")
        answers = list((self._callee if remote == CALLEE else self._caller)(head))
        self.cpu_ns += time.thread_time_ns() - began
        for answer in answers:
            self._say(answer, remote)

    def _say(self, message: str, party: tuple[str, int]) -> None:
        self.messages += 1
        self._send(message.encode(), Flow("udp", SWITCH, party))

    def _caller(self, head: str) -> Iterator[str]:
        status, call_id = head[8:11], _value(head, "Call-ID")
        cseq = _value(head, "CSeq")
        if status == "401":
            yield self._request("ACK", call_id, 1, to=_value(head, "To"))
            yield self._invite(call_id, 2, _authorization(_value(head, "WWW-Authenticate")))
        elif status == "200" and cseq.endswith("INVITE"):
            target = _value(head, "Contact").strip("<>")
            yield self._request("ACK", call_id, 2, to=_value(head, "To"), target=target)
            yield self._request("BYE", call_id, 3, to=_value(head, "To"), target=target)
        elif status == "200":
            self._over[call_id].set_result(None)

    def _callee(self, head: str) -> Iterator[str]:
        if head.startswith("INVITE"):
            yield _answer(head, "180 Ringing")
            yield _answer(head, "200 OK", _SDP.format(CALLEE[0]))
        elif head.startswith("BYE"):
            yield _answer(head, "200 OK")

    def _invite(self, call_id: str, number: int, authorization: str = "") -> str:
        more = f"Contact: <sip:alice@{_at(CALLER)}>\r\n{authorization}Content-Type: application/sdp\r\n"
        return self._request("INVITE", call_id, number, more=more, body=_SDP.format(CALLER[0]))

    def _request(
        self,
        method: str,
        call_id: str,
        number: int,
        *,
        to: str = f"<sip:{NUMBER}@{SWITCH[0]}>",
        target: str = f"sip:{NUMBER}@{SWITCH[0]}:{SWITCH[1]}",
        more: str = "",
        body: str = "",
    ) -> str:
        branch = f"z9hG4bK-{call_id}-{1 if number == 1 else f'{number}-{method}'}"
        return (
            f"{method} {target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {_at(CALLER)};branch={branch};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:alice@{SWITCH[0]}>;tag=a{call_id}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n"
            f"CSeq: {number} {method}\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"
        )


def _at(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def _value(head: str, name: str) -> str:
    """Return the value of the first header of that name."""
    _, _, rest = head.partition(f"\r\n{name}: ")
    return rest.partition("\r\n")[0]


def _answer(head: str, status: str, body: str = "") -> str:
    copied = [
        line for line in head.split("\r\n")[1:] if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))
    ]
    to = _value(head, "To")
    tag = "" if ";tag=" in to else f";tag=b{_value(head, 'Call-ID')}"
    more = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"SIP/2.0 {status}\r\n" + "\r\n".join(copied) + f"\r\nTo: {to}{tag}\r\n"
        f"Contact: <sip:carrier@{_at(CALLEE)}>\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"
    )


def _authorization(challenge: str) -> str:
    """Return the header that answers a challenge (RFC 7616)."""
    asked = dict(_QUOTED.findall(challenge))
    digest = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[asked.get("algorithm", "MD5")]

    def h(text: str) -> str:
        return digest(text.encode()).hexdigest()

    uri = f"sip:{NUMBER}@{SWITCH[0]}"
    known, wanted = h(f"alice:{asked['realm']}:{PASSWORD}"), h(f"INVITE:{uri}")
    response = h(f"{known}:{asked['nonce']}:00000001:c:auth:{wanted}")
    return (
        f'Authorization: Digest username="alice", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}", '
        f'algorithm={asked.get("algorithm", "MD5")}, response="{response}", qop=auth, nc=00000001, cnonce="c"\r\n'
    )
