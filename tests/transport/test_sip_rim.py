"""Two endpoints on real sockets, and what a stranger may do to one."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from gateway.errors import ConfigError, LocalError
from gateway.ids import SeededIds
from gateway.sip.authentication import Credentials
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import BindingChanged, Registered, SessionEnded, SessionOffered
from gateway.sip.headers import NameAddr
from gateway.sip.settings import EndpointConfig
from gateway.sip.uri import Uri, parse_uri_untrusted
from gateway.transport.sip_rim import SipRim, StreamLimits, parse_listen

OPTIONS = (
    b"OPTIONS sip:tandem@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK%d;rport\r\n"
    b"From: <sip:x@127.0.0.1>;tag=1\r\nTo: <sip:tandem@127.0.0.1>\r\n"
    b"Call-ID: c%d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def endpoint(name="tandem", seed=1, **config):
    return Endpoint(EndpointConfig(contact_user=name, **config), SeededIds(seed))


@asynccontextmanager
async def server(*listen, **options):
    users = {"alice": "secret"}
    async with SipRim(
        endpoint(users=users), listen or ("udp:127.0.0.1:0", "tcp:127.0.0.1:0"), **options
    ) as rim:
        yield rim


@asynccontextmanager
async def phone(*listen):
    trusted = frozenset({"127.0.0.1"})
    async with SipRim(
        endpoint("alice", seed=2, trusted_sources=trusted), listen or ("udp:127.0.0.1:0",)
    ) as rim:
        yield rim


async def first(rim, kind):
    async with asyncio.timeout(10):
        async for event in rim.events():
            if isinstance(event, kind):
                return event


def uri_of(rim, transport, user=None):
    flow = next(flow for flow in rim.flows if flow.transport == transport)
    return Uri("sip", user, flow.local[0], flow.local[1], (("transport", transport),))


async def register(alice, uri):
    flow = await alice.flow_to(uri)
    alice.do(
        lambda now: alice.endpoint.register(
            registrar=uri,
            aor=Uri("sip", "alice", uri.host, uri.port),
            flow=flow,
            credentials=Credentials("alice", "secret"),
            now=now,
        )
    )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_phone_registers_over(transport, host):
    async def scenario():
        async with server(f"{transport}:{host}:0") as switch, phone(f"{transport}:{host}:0") as alice:
            await register(alice, uri_of(switch, transport))

            assert isinstance(await first(alice, Registered), Registered)
            binding = await first(switch, BindingChanged)
            assert (binding.user, binding.flow.transport) == ("alice", transport)

    asyncio.run(scenario())


def test_a_call_to_a_phone_behind_tcp_reuses_its_connection():
    """RFC 5923: nobody can connect to a phone behind a NAT."""

    async def scenario():
        async with server() as switch, phone("tcp:127.0.0.1:0") as alice:
            await register(alice, uri_of(switch, "tcp"))
            binding = await first(switch, BindingChanged)
            switch.do(
                lambda now: switch.endpoint.invite(
                    target=binding.contact,
                    flow=binding.flow,
                    from_=NameAddr(None, binding.contact),
                    sdp=b"v=0",
                    now=now,
                )
            )

            offered = await first(alice, SessionOffered)

            assert offered.flow.remote == uri_address(switch)
            assert offered.flow.connection is not None

    def uri_address(switch):
        return next(flow.local for flow in switch.flows if flow.transport == "tcp")

    asyncio.run(scenario())


def test_nobody_listening_on_tcp_is_told_as_a_closed_flow():
    async def scenario():
        async with phone("tcp:127.0.0.1:0") as alice:
            nowhere = parse_uri_untrusted("sip:127.0.0.1:9;transport=tcp")
            flow = await alice.flow_to(nowhere)
            alice.do(
                lambda now: alice.endpoint.invite(
                    target=nowhere, flow=flow, from_=NameAddr(None, nowhere), sdp=b"v=0", now=now
                )
            )

            assert (await first(alice, SessionEnded)).cause.by == "transport"

    asyncio.run(scenario())


async def connect(rim):
    host, port = next(flow.local for flow in rim.flows if flow.transport == "tcp")
    return await asyncio.open_connection(host, port)


async def closed(reader):
    """Read until the peer closes; an assertion of the peer's patience, not of ours."""
    async with asyncio.timeout(5):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


def test_several_messages_in_one_segment_and_one_in_many_are_answered_alike():
    async def scenario():
        async with server() as switch:
            reader, writer = await connect(switch)
            writer.write(OPTIONS % (1, 1) + OPTIONS % (2, 2))
            for byte in OPTIONS % (3, 3):
                writer.write(bytes([byte]))
                await writer.drain()
            async with asyncio.timeout(5):
                answers = b""
                while answers.count(b"SIP/2.0 200") < 3:
                    answers += await reader.read(4096)
            writer.close()

    asyncio.run(scenario())


def test_a_ping_gets_a_pong():
    """RFC 5626 section 3.5.1."""

    async def scenario():
        async with server() as switch:
            reader, writer = await connect(switch)
            writer.write(b"\r\n\r\n")
            async with asyncio.timeout(5):
                assert await reader.readexactly(2) == b"\r\n"
            writer.close()

    asyncio.run(scenario())


def test_a_stream_without_content_length_is_answered_400_and_closed():
    """RFC 3261 section 18.3: there is no way to find the next message."""

    async def scenario():
        async with server() as switch:
            reader, writer = await connect(switch)
            writer.write((OPTIONS % (1, 1)).replace(b"Content-Length: 0\r\n", b""))

            assert (await closed(reader)).startswith(b"SIP/2.0 400")
            assert switch.counters["tcp.bad_framing"] == 1
            writer.close()

    asyncio.run(scenario())


def test_a_message_that_dribbles_is_cut_off_and_a_quiet_connection_too():
    limits = StreamLimits(finish_message_s=0.05, idle_s=0.2)

    async def scenario():
        async with server(limits=limits) as switch:
            dribble, quiet = await connect(switch), await connect(switch)
            dribble[1].write(b"OPTIONS sip:x SIP/2.0\r\n")

            assert await closed(dribble[0]) == b""
            assert await closed(quiet[0]) == b""
            assert (switch.counters["tcp.dribble"], switch.counters["tcp.idle"]) == (1, 1)
            dribble[1].close()
            quiet[1].close()

    asyncio.run(scenario())


def test_a_registered_phone_may_be_quiet():
    limits = StreamLimits(finish_message_s=0.05, idle_s=0.1)

    async def scenario():
        async with server(limits=limits) as switch, phone("tcp:127.0.0.1:0") as alice:
            await register(alice, uri_of(switch, "tcp"))
            await first(switch, BindingChanged)
            reader, writer = await connect(switch)

            await closed(reader)  # a stranger that came later has gone by now

            assert switch.endpoint.bindings("alice")
            writer.close()

    asyncio.run(scenario())


def test_one_address_may_not_take_every_connection():
    async def scenario():
        async with server(limits=StreamLimits(per_address=2)) as switch:
            kept = [await connect(switch), await connect(switch)]
            reader, writer = await connect(switch)

            assert await closed(reader) == b""
            assert switch.counters["tcp.too_many"] == 1
            for _, each in (*kept, (reader, writer)):
                each.close()

    asyncio.run(scenario())


def test_keepalives_and_garbage_over_udp_cost_nothing():
    async def scenario():
        async with server() as switch:
            host, port = switch.flows[0].local
            loop = asyncio.get_running_loop()
            heard = asyncio.Queue()
            transport, _ = await loop.create_datagram_endpoint(lambda: Ear(heard), remote_addr=(host, port))
            for data in (b"", b"\r\n", b"\0\0\0\0", b"\xff" * 2000, OPTIONS % (1, 1)):
                transport.sendto(data)
            async with asyncio.timeout(5):
                assert (await heard.get()).startswith(b"SIP/2.0 200")
            transport.close()

    class Ear(asyncio.DatagramProtocol):
        def __init__(self, heard):
            self.heard = heard

        def datagram_received(self, data, _):
            self.heard.put_nowait(data)

    asyncio.run(scenario())


def test_an_address_in_use_leaves_no_socket_open():
    async def scenario():
        async with server() as switch:
            host, port = next(flow.local for flow in switch.flows if flow.transport == "tcp")
            with pytest.raises(OSError, match="in use"):
                async with server("udp:127.0.0.1:0", f"tcp:{host}:{port}"):
                    pass

    asyncio.run(scenario())


def test_a_transport_that_is_not_listened_on_is_refused():
    async def scenario():
        async with phone("udp:127.0.0.1:0") as alice:
            with pytest.raises(LocalError):
                await alice.flow_to(parse_uri_untrusted("sip:x@[::1]"))
            with pytest.raises(LocalError):
                await alice.flow_to(parse_uri_untrusted("sip:x@127.0.0.1;transport=ws"))

    asyncio.run(scenario())


@pytest.mark.parametrize("text", ["", "udp", "udp:localhost:5060", "udp:127.0.0.1:x", "sctp:127.0.0.1:80"])
def test_where_to_listen_is_written_otherwise(text):
    with pytest.raises(ConfigError):
        parse_listen(text)


def test_where_to_listen_is_written_like_this():
    assert parse_listen("tcp:[::1]:5060") == ("tcp", "::1", 5060)
