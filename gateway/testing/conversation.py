"""What peers and the switch said to each other in SIP, off the wire: a ladder to read, and to compare.

    alice > INVITE, PCMU
    alice < 401 to INVITE
    alice > ACK

One paragraph for each dialog, in the order in which they began, `>` towards the switch.  What a slow machine adds is
left out (retransmissions, 100 Trying), so the ladder of a call is the same every time.  The ladders that tests expect
lie beside them as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gateway.testing.capture import Capture, Datagram

__all__ = ["Conversation", "ladder"]

_WHOLE_DATAGRAMS: Final = 65535
_TRYING: Final = "100"
_ELSE: Final = "phone"
_CALL_ID: Final = re.compile(rb"^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_METHOD: Final = re.compile(rb"^CSeq[ \t]*:[ \t]*(\d+)[ \t]+(\S+)", re.IGNORECASE | re.MULTILINE)


class Conversation:
    """A recording of what passes between the switch and some phones over UDP while the `with` lasts.

    Args:
        directory: where the recording goes.
        switch_port: the switch's SIP port.
        names: what to call the one at each other port; `phone`, if it is not among them.
    """

    def __init__(self, directory: Path, switch_port: int, names: Mapping[int, str]) -> None:
        self._capture = Capture(
            directory / "conversation.pcap", f"udp port {switch_port}", snap_bytes=_WHOLE_DATAGRAMS
        )
        self._switch_port, self._names = switch_port, names

    def __enter__(self) -> Self:
        self._capture.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.__exit__(kind, error, trace)

    def ladder(self) -> str:
        """Return what was said, as text."""
        return ladder(self._capture.datagrams(), self._switch_port, self._names)


@dataclass(frozen=True, slots=True)
class _Message:
    """A SIP message as far as a ladder shows it."""

    dialog: bytes
    method: str
    text: str

    @property
    def is_trying(self) -> bool:
        return self.text.startswith(_TRYING)


def ladder(
    datagrams: Iterable[Datagram],
    switch_port: int,
    names: Mapping[int, str],
    *,
    registrations: bool = False,
) -> str:
    """Return the ladder of SIP datagrams, REGISTERs left out if not asked for: a paragraph for each dialog."""
    dialogs: dict[bytes, list[str]] = {}
    seen: set[bytes] = set()
    for datagram in datagrams:
        message = _message(datagram.data)
        if message is None or message.is_trying or datagram.data in seen:
            continue
        if message.method == "REGISTER" and not registrations:
            continue
        seen.add(datagram.data)
        inward = datagram.destination[1] == switch_port
        peer = datagram.source[1] if inward else datagram.destination[1]
        line = f"{names.get(peer, _ELSE)} {'>' if inward else '<'} {message.text}"
        dialogs.setdefault(message.dialog, []).append(line)
    return "\n\n".join("\n".join(lines) for lines in dialogs.values()) + "\n"


def _message(data: bytes) -> _Message | None:
    """Read a SIP message; None for a keep-alive or anything else."""
    dialog, method = _CALL_ID.search(data), _METHOD.search(data)
    if dialog is None or method is None:
        return None
    name = method[2].decode()
    first = data.split(b"\r\n", 1)[0].decode(errors="replace")
    text = f"{first.split()[1]} to {name}" if first.startswith("SIP/2.0") else name
    return _Message(dialog[1], name, text + _about(data))


def _about(data: bytes) -> str:
    """Return what a session description in a message says: who may send, and in which codecs."""
    _, _, body = data.partition(b"\r\n\r\n")
    line = re.search(rb"^m=audio \d+ \S+ ([\d ]+)", body, re.MULTILINE)
    if line is None:
        return ""
    direction = re.search(rb"^a=(sendonly|recvonly|inactive)", body, re.MULTILINE)
    codecs = [_codec(number, body) for number in line[1].split()]
    told = [codec for codec in codecs if codec.lower() != "telephone-event"]
    return f", {' '.join(told)}" + (f" {direction[1].decode()}" if direction else "")


def _codec(number: bytes, body: bytes) -> str:
    named = re.search(rb"^a=rtpmap:" + number + rb" ([^/\s]+)", body, re.MULTILINE)
    static = {b"0": "PCMU", b"8": "PCMA", b"18": "G729"}
    return named[1].decode() if named else static.get(number, number.decode())
