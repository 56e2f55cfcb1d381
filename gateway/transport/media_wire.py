"""How the switch and a media worker speak: frames of a 4-byte big-endian length and a msgpack map.

    both      {"hello": version, "epoch": n}
    switch    {"open": leg}  {"reopen": leg}  {"set": row}  {"move": leg, "to": worker}  {"close": leg}
              {"room": room}    how it is mixed; to every worker, because any may have a part of it
              {"press": leg, "digit": "5", "ms": 160}    a key for its phone, as events of RTP
              {"statistics": leg, "id": n}  {"health": n}
              {"edge": leg, "to": [host, port], "data": bytes}    a datagram from its socket: STUN or DTLS; with
                  "lease": [ufrag, password, seconds]             checks from there need not be told for so long
    worker    {"rows": legs}                                     once, after its hello
              {"opened": leg, "port": p, "address": a, "bound": b}  {"refused": leg, "reason": text}  {"absent": leg}
              {"event": name, ...}  {"statistics": counters, "id": n}  {"figures": figures}     each second
              {"edge": leg, "from": [host, port], "data": bytes}    one that came there

Who asks for `health` gets `{"health": figures, "id": n}`: `media_health.Health.as_map` now, not a second ago.

`address` is for SDP, at `bound` others on this machine reach the port.

`reopen` is for a leg that has its port already: it is never refused for overload.  `absent` answers a `move` of a leg
that is not there (any more).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgpack

from gateway.errors import BadMessage

__all__ = ["MAX_FRAME_BYTES", "PROTOCOL", "Message", "frame", "read_frame"]

Message: TypeAlias = Mapping[str, Any]

PROTOCOL: Final = 1
MAX_FRAME_BYTES: Final = 1 << 20
_LENGTH: Final = struct.Struct("!I")


def frame(message: Message) -> bytes:
    """Return one message as it travels."""
    body: bytes = msgpack.packb(message)
    return _LENGTH.pack(len(body)) + body


async def read_frame(reader: asyncio.StreamReader) -> dict[str, Any]:
    """Return the next message.

    Raises:
        BadMessage: it is too long, or no map.
        asyncio.IncompleteReadError: the peer is gone.
    """
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_FRAME_BYTES:
        raise BadMessage(f"a frame of {length} bytes")
    body = await reader.readexactly(length)
    try:
        message = msgpack.unpackb(body, strict_map_key=False)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise BadMessage(f"a frame that is no msgpack: {error}") from error
    if not isinstance(message, dict):
        raise BadMessage("a frame that is no map")
    return message
