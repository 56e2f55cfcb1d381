"""The peer of `benchmarks.webrtc`: the same calls by aiortc, RTCPeerConnection to RTCPeerConnection by a MediaRelay.

Two processes, of which one calls and one is called; only the CPU time of the second counts.
"""

from __future__ import annotations

import asyncio
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

__all__ = ["measure"]

_CONNECTED_S: Final = 30.0
_SETTLE_S: Final = 1.0


def measure(*, calls: int, seconds: float) -> dict[str, Any]:
    """Carry so many calls for a while; return what a packet cost."""
    context = get_context("spawn")
    called, calling = context.Pipe(), context.Pipe()
    processes = [
        context.Process(target=_run, args=(_be_called, called[1], 2 * calls)),
        context.Process(target=_run, args=(_call, calling[1], 2 * calls)),
    ]
    for process in processes:
        process.start()
    called[0].send(calling[0].recv())
    calling[0].send(called[0].recv())
    assert calling[0].recv() == "connected"
    time.sleep(_SETTLE_S)
    readings = []
    for pause in (seconds, 0.0):
        called[0].send("read")
        readings.append(called[0].recv())
        time.sleep(pause)
    for pipe in (calling[0], called[0]):
        pipe.send("over")
    for process in processes:
        process.join(timeout=10)
    (spent_before, before), (spent_after, after) = readings
    n = after - before
    return {"kind": "aiortc", "us_per_packet": round(1e6 * (spent_after - spent_before) / n, 3), "sent": n}


def _run(part: Any, pipe: Connection, n: int) -> None:
    asyncio.run(part(pipe, n))


async def _call(pipe: Connection, n: int) -> None:
    """Be `n` callers with a track each."""
    from aiortc import RTCPeerConnection, RTCSessionDescription
    from aiortc.contrib.media import MediaBlackhole
    from aiortc.mediastreams import AudioStreamTrack

    connections = [RTCPeerConnection() for _ in range(n)]
    for connection in connections:
        connection.addTrack(AudioStreamTrack())
        _speak_pcmu(connection)
        connection.on("track", MediaBlackhole().addTrack)
        await connection.setLocalDescription(await connection.createOffer())
    pipe.send([connection.localDescription.sdp for connection in connections])
    for connection, sdp in zip(connections, await asyncio.to_thread(pipe.recv), strict=True):
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
    async with asyncio.timeout(_CONNECTED_S):
        await asyncio.gather(*(_connected(connection) for connection in connections))
    pipe.send("connected")
    await asyncio.to_thread(pipe.recv)
    await asyncio.gather(*(connection.close() for connection in connections))


async def _connected(connection: RTCPeerConnection) -> None:
    """Return when the handshake is done."""
    changed = asyncio.Event()
    connection.on("connectionstatechange", changed.set)
    while connection.connectionState != "connected":
        await changed.wait()
        changed.clear()


async def _be_called(pipe: Connection, n: int) -> None:
    """Take `n` calls, and let each two hear each other."""
    from aiortc import RTCPeerConnection, RTCSessionDescription
    from aiortc.contrib.media import MediaRelay

    relay, connections = MediaRelay(), [RTCPeerConnection() for _ in range(n)]
    for connection, sdp in zip(connections, await asyncio.to_thread(pipe.recv), strict=True):
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
    for number, connection in enumerate(connections):
        (theirs,) = connections[number ^ 1].getReceivers()
        connection.addTrack(relay.subscribe(theirs.track))
        await connection.setLocalDescription(await connection.createAnswer())
    pipe.send([connection.localDescription.sdp for connection in connections])
    while await asyncio.to_thread(pipe.recv) == "read":
        pipe.send((time.process_time(), await _received(connections)))
    await asyncio.gather(*(connection.close() for connection in connections))


async def _received(connections: list[RTCPeerConnection]) -> int:
    reports = [await each.getStats() for connection in connections for each in connection.getReceivers()]
    return sum(
        each.packetsReceived for report in reports for each in report.values() if each.type == "inbound-rtp"
    )


def _speak_pcmu(connection: RTCPeerConnection) -> None:
    from aiortc import RTCRtpSender

    (transceiver,) = connection.getTransceivers()
    codecs = RTCRtpSender.getCapabilities("audio").codecs
    transceiver.setCodecPreferences([each for each in codecs if each.mimeType == "audio/PCMU"])
