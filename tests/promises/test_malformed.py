"""Promises 28 and 29: two thousand malformed messages harm nobody, and cost no connection."""

import asyncio
import os
import re
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.ids import SeededIds
from gateway.sip.endpoint import Endpoint, EndpointConfig
from gateway.sip.events import SessionOffered
from gateway.testing.odd_messages import odd_messages
from gateway.testing.sip_script import sip_request
from gateway.transport.sip_rim import SipRim

CORPUS = list(odd_messages())
MOST_RSS_KIB = 20 * 1024
FAULTS = "a fault of ours"


def rss_kib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def descriptors():
    return len(os.listdir("/proc/self/fd"))


@asynccontextmanager
async def switch():
    """Give a switch that lets this host in, so that what is malformed is read to its end."""
    config = EndpointConfig(users={"carol": "secret"}, trusted_sources=frozenset({"127.0.0.1"}))
    told = []
    async with SipRim(
        Endpoint(config, SeededIds(1)), ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"], on_fault=told.append
    ) as rim:
        refusing = asyncio.create_task(refuse_calls(rim))
        try:
            yield rim
        finally:
            refusing.cancel()
        assert told == [], FAULTS


async def refuse_calls(rim):
    async for event in rim.events():
        if isinstance(event, SessionOffered):
            rim.do(lambda now, session=event.session: rim.endpoint.reject(session, status=486, now=now))


class Line:
    """One end of a conversation: says messages, and asks whether the other end lives."""

    def __init__(self, reader, say):
        self._reader = reader
        self._asked = 0
        self.say = say

    async def assert_alive(self):
        self._asked += 1
        mark = f"alive-{self._asked}"
        alive = re.compile(rb"SIP/2.0 200 OK\r\n(?:[^\r]+\r\n)*Call-ID: %b\r\n" % mark.encode())
        self.say(sip_request("OPTIONS", call_id=mark, branch=f"z9hG4bK-{mark}", to="<sip:x@h>"))
        said = b""
        async with asyncio.timeout(5):
            while alive.search(said) is None:
                data = await self._reader()
                assert data, "it hung up"
                said += data
        assert b"SIP/2.0 500" not in said


@asynccontextmanager
async def line(transport, rim):
    """Give a line to the switch."""
    host, port = next(flow.local for flow in rim.flows if flow.transport == transport)
    if transport == "tcp":
        reader, writer = await asyncio.open_connection(host, port)
        try:
            yield Line(lambda: reader.read(65536), writer.write)
        finally:
            writer.close()
        return
    heard = asyncio.Queue()
    loop = asyncio.get_running_loop()
    said, _ = await loop.create_datagram_endpoint(lambda: Ear(heard), remote_addr=(host, port))
    try:
        yield Line(heard.get, said.sendto)
    finally:
        said.close()


class Ear(asyncio.DatagramProtocol):
    def __init__(self, heard):
        self.heard = heard

    def datagram_received(self, data, _):
        self.heard.put_nowait(data)


async def stand(ours, corpus):
    """Say all, and after each ten ask whether the other end is alive."""
    for start in range(0, len(corpus), 10):
        for _, data in corpus[start : start + 10]:
            ours.say(data)
        await ours.assert_alive()


def test_the_corpus_is_large_and_no_message_of_it_is_twice_there():
    assert len({data for _, data in CORPUS}) == len(CORPUS) >= 800


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_every_malformed_message_is_stood_and_the_line_stays_up(transport):
    async def scenario():
        async with switch() as rim, line(transport, rim) as ours:
            await stand(ours, CORPUS[:200])  # what is made once is made now
            before = rss_kib(), descriptors()
            await stand(ours, CORPUS)

            assert rss_kib() - before[0] < MOST_RSS_KIB
            assert descriptors() == before[1]

    asyncio.run(scenario())
