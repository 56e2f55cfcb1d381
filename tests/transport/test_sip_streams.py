"""TLS and WebSockets on real sockets; the WebSocket client is the library's own."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.errors import ConfigError, LocalError
from gateway.ids import SeededIds
from gateway.sip.authentication import Credentials
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import BindingChanged, Registered, SessionEnded, SessionOffered
from gateway.sip.headers import NameAddr
from gateway.sip.message import parse_message_untrusted
from gateway.sip.settings import EndpointConfig
from gateway.sip.uri import Uri, parse_uri_untrusted
from gateway.transport.sip_rim import Security, SipRim, StreamLimits
from gateway.transport.sip_tls import client_context, server_context

OPTIONS = (
    "OPTIONS sip:tandem@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/WS abc.invalid;branch=z9hG4bK1\r\n"
    "From: <sip:x@abc.invalid>;tag=1\r\nTo: <sip:tandem@127.0.0.1>\r\n"
    "Call-ID: c\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n"
)
PAGE = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority, tmp_path_factory):
    """Paths of a certificate for 127.0.0.1, its key, and the authority's certificate."""
    folder = tmp_path_factory.mktemp("certificate")
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.cert_chain_pems[0].write_to_path(folder / "chain.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    return folder / "chain.pem", folder / "key.pem", folder / "authority.pem"


@asynccontextmanager
async def switch(*listen, certificate=None, origins=(), limits=None):
    server = server_context(*certificate[:2]) if certificate else None
    endpoint = Endpoint(EndpointConfig(users={"alice": "secret"}), SeededIds(1))
    security = Security(server=server, origins=frozenset(origins))
    async with SipRim(endpoint, listen, security=security, limits=limits) as rim:
        yield rim


@asynccontextmanager
async def phone(authorities=None, failures=None):
    endpoint = Endpoint(
        EndpointConfig(contact_user="alice", trusted_sources=frozenset({"127.0.0.1"})), SeededIds(2)
    )
    security = Security(client=client_context(authorities))
    rim = SipRim(
        endpoint,
        ["tcp:127.0.0.1:0"],
        security=security,
        on_connect_failed=lambda flow, why: None if failures is None else failures.append(why),
    )
    async with rim:
        yield rim


async def first(rim, kind):
    async with asyncio.timeout(10):
        async for event in rim.events():
            if isinstance(event, kind):
                return event


def port_of(rim):
    return rim.flows[0].local[1]


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
    return flow


def test_a_phone_registers_over_tls_and_is_called_on_the_same_connection(certificate):
    async def scenario():
        async with (
            switch("tls:127.0.0.1:0", certificate=certificate) as server,
            phone(certificate[2]) as alice,
        ):
            uri = parse_uri_untrusted(f"sip:127.0.0.1:{port_of(server)};transport=tls")
            await register(alice, uri)
            assert isinstance(await first(alice, Registered), Registered)
            binding = await first(server, BindingChanged)
            server.do(
                lambda now: server.endpoint.invite(
                    target=binding.contact,
                    flow=binding.flow,
                    from_=NameAddr(None, binding.contact),
                    sdp=b"v=0",
                    now=now,
                )
            )

            offered = await first(alice, SessionOffered)

            assert (binding.flow.transport, offered.flow.transport) == ("tls", "tls")
            assert offered.request.via.transport == "TLS"

    asyncio.run(scenario())


def test_a_certificate_that_nobody_vouches_for_ends_the_flow_with_the_reason(certificate):
    async def scenario():
        failures = []
        async with switch("tls:127.0.0.1:0", certificate=certificate) as server, phone(None, failures) as bob:
            uri = parse_uri_untrusted(f"sips:127.0.0.1:{port_of(server)}")
            flow = await bob.flow_to(uri)
            bob.do(
                lambda now: bob.endpoint.invite(
                    target=uri, flow=flow, from_=NameAddr(None, uri), sdp=b"v=0", now=now
                )
            )

            assert (await first(bob, SessionEnded)).cause.by == "transport"
            assert "certificate verify failed" in failures[0]

    asyncio.run(scenario())


def test_a_connection_is_reused_for_the_same_name_only(certificate):
    async def scenario():
        async with (
            switch("tls:127.0.0.1:0", certificate=certificate) as server,
            phone(certificate[2]) as alice,
        ):
            by_number = f"sips:127.0.0.1:{port_of(server)}"
            by_name = f"sips:localhost:{port_of(server)}"
            flows = [await alice.flow_to(parse_uri_untrusted(u)) for u in (by_number, by_number, by_name)]

            assert flows[0] == flows[1] != flows[2]

    asyncio.run(scenario())


def websocket(rim, *, scheme="ws", path="/", subprotocol="sip", origin=None, context=None):
    return connect(
        f"{scheme}://127.0.0.1:{port_of(rim)}{path}",
        subprotocols=[subprotocol] if subprotocol else None,
        origin=origin,
        ssl=context,
        proxy=None,
    )


@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_sip_message_is_one_websocket_message_text_or_binary(as_bytes):
    async def scenario():
        async with switch("ws:127.0.0.1:0") as server, websocket(server) as client:
            await client.send(OPTIONS.encode() if as_bytes else OPTIONS)
            async with asyncio.timeout(5):
                answer = parse_message_untrusted(await client.recv(decode=False))

            assert (answer.status, client.subprotocol) == (200, "sip")

    asyncio.run(scenario())


def test_a_message_in_fragments_is_put_together():
    async def scenario():
        async with switch("ws:127.0.0.1:0") as server, websocket(server) as client:
            await client.send([OPTIONS[:40], OPTIONS[40:90], OPTIONS[90:]])
            async with asyncio.timeout(5):
                assert parse_message_untrusted(await client.recv(decode=False)).status == 200

    asyncio.run(scenario())


def test_a_keepalive_on_a_websocket_gets_its_pong_and_is_no_message():
    async def scenario():
        async with switch("ws:127.0.0.1:0") as server, websocket(server) as client:
            await client.send("\r\n\r\n")
            await client.send("\r\n")
            await client.send(OPTIONS)
            async with asyncio.timeout(5):
                assert await client.recv() == "\r\n"
                assert parse_message_untrusted(await client.recv(decode=False)).status == 200

    asyncio.run(scenario())


def test_wss_is_a_websocket_inside_tls(certificate, authority):
    async def scenario():
        context = ssl.create_default_context()
        authority.configure_trust(context)
        async with (
            switch("wss:127.0.0.1:0", certificate=certificate) as server,
            websocket(server, scheme="wss", context=context) as client,
        ):
            await client.send(OPTIONS)
            async with asyncio.timeout(5):
                assert parse_message_untrusted(await client.recv(decode=False)).status == 200

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("origin", "allowed", "status"),
    [
        (PAGE, (), None),
        (None, (), None),
        ("https://evil.example", (), 403),
        ("https://friend.example", ("https://friend.example",), None),
        ("https://anybody.example", ("*",), None),
        ("null", (), 403),
    ],
)
def test_only_pages_of_this_host_or_named_ones_may_connect(origin, allowed, status):
    async def scenario():
        async with switch("ws:127.0.0.1:0", origins=allowed) as server:
            try:
                async with websocket(server, origin=origin):
                    return None
            except InvalidStatus as refusal:
                return refusal.response.status_code

    assert asyncio.run(scenario()) == status


@pytest.mark.parametrize("subprotocol", [None, "mqtt"])
def test_a_client_that_does_not_speak_sip_is_refused(subprotocol):
    async def scenario():
        async with switch("ws:127.0.0.1:0") as server:
            with pytest.raises(InvalidStatus) as refusal:
                await websocket(server, subprotocol=subprotocol)
            assert server.counters["ws.bad_handshake"] == 1
            return refusal.value.response.status_code

    assert asyncio.run(scenario()) == 400


def test_garbage_instead_of_a_handshake_closes_the_connection():
    async def scenario():
        async with switch("ws:127.0.0.1:0") as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
            writer.write(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            assert server.counters["ws.bad_handshake"] == 1

    asyncio.run(scenario())


def test_a_message_that_is_too_large_closes_the_websocket_with_1009():
    async def scenario():
        async with switch("ws:127.0.0.1:0") as server, websocket(server) as client:
            await client.send("x" * (65 << 10))
            async with asyncio.timeout(5):
                with pytest.raises(ConnectionClosed) as closed:
                    await client.recv()
            return closed.value.rcvd.code

    assert asyncio.run(scenario()) == 1009


def test_a_websocket_that_never_shakes_hands_is_closed():
    async def scenario():
        async with switch("ws:127.0.0.1:0", limits=StreamLimits(finish_message_s=0.05)) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
            writer.write(b"GET / HTTP/1.1\r\n")
            async with asyncio.timeout(5):
                try:
                    assert await reader.read() == b""
                except ConnectionResetError:
                    pass
            writer.close()
            assert server.counters["ws.dribble"] == 1

    asyncio.run(scenario())


def test_a_secure_socket_without_a_certificate_is_refused_in_words():
    async def scenario():
        async with switch("wss:127.0.0.1:0"):
            pass

    with pytest.raises(LocalError, match=r"set sip\.certificate and sip\.key"):
        asyncio.run(scenario())


def test_files_that_are_no_certificate_are_named(tmp_path, certificate):
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"x\.pem"):
        server_context(tmp_path / "x.pem", certificate[1])
    with pytest.raises(ConfigError, match=r"sip\.authorities"):
        client_context(tmp_path / "x.pem")
