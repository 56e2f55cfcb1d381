"""No callback goes where the operator did not let it: sixty spellings of the same few addresses."""

import asyncio
import ipaddress
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from gateway.callbacks.client import Failure, NotDelivered, open_client, target_of
from gateway.callbacks.guard import LOOPBACK, Forbidden, Guard, Names
from gateway.testing.callback_server import CallbackServer, answer

CLOSED = Guard()


class Zone(AbstractResolver):
    """A name system that gives its answers one after the other, the last one ever after."""

    def __init__(self, *answers):
        self.answers = list(answers)

    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0)
            for one in addresses
        ]

    async def close(self):
        pass


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "100.64.0.1", "100.100.100.200", "169.254.169.254", "169.254.0.1", "192.0.0.192",
        "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250",
        "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::7f00:2",
        "fe80::1", "febf::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "100::1",
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
        "2001:0:4136:e378:8000:63bf:5601:5601", "2001::1", "4000::1", "5f00::1",
    ],
)  # fmt: skip
def test_a_special_address_is_forbidden(address):
    with pytest.raises(Forbidden):
        CLOSED.check(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111",
     "::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"],
)  # fmt: skip
def test_a_public_address_is_allowed(address):
    CLOSED.check(address)


@pytest.mark.parametrize(
    "written",
    ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.1", "localhost", "", "127.0.0.1 ", "[::1]",
     "\uff11\uff12\uff17.0.0.1", "127.0.0.1\n", "8.8.8", "08.8.8.8"],
)  # fmt: skip
def test_an_address_that_is_not_written_as_usual_is_forbidden(written):
    with pytest.raises(Forbidden):
        CLOSED.check(written)


@given(st.text())
def test_no_text_breaks_the_guard(text):
    try:
        CLOSED.check(text)
    except Forbidden:
        return
    assert ipaddress.ip_address(text)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_ipv6_clothing(address):
    def allowed(written):
        try:
            CLOSED.check(written)
        except Forbidden:
            return False
        return True

    clothed = [ipaddress.IPv6Address(first << 32 | int(address)) for first in (0xFFFF, 0x64FF9B << 64)]
    assert {allowed(str(one)) for one in clothed} == {allowed(str(address))}


def test_a_network_that_the_operator_allowed_is_allowed():
    guard = Guard(networks=(ipaddress.ip_network("10.1.0.0/16"),))

    guard.check("10.1.2.3")
    guard.check("::ffff:10.1.2.3")
    with pytest.raises(Forbidden):
        guard.check("10.2.2.3")


def test_the_servers_of_the_operators_own_urls_are_trusted():
    guard = Guard.allowing(
        ["http://Backend.internal:8000/calls", "https://10.0.0.7/x", "no url", "http://h:99999"]
    )

    assert guard.trusts(URL("http://backend.internal:8000/other"))
    assert guard.trusts(URL("https://10.0.0.7:443"))
    assert not guard.trusts(URL("http://backend.internal:8001/calls"))
    assert not guard.trusts(URL("http://10.0.0.7/x"))
    assert not guard.trusts(URL("http://backend.internal.example.org:8000/"))


def failure(guard, url, *, names=None, server=None):
    """Post to `url`; return the failure, and to how many connections the server came."""

    async def once():
        async with (
            CallbackServer(server or answer()) as listener,
            open_client(guard, patience_s=2.0, names=names) as client,
        ):
            try:
                target = target_of(url.replace("PORT", str(listener.port)))
                await client.post(target, body=b"{}", headers={})
            except NotDelivered as error:
                return error.failure, listener.connections
            return None, listener.connections

    return asyncio.run(once())


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:PORT/", "http://127.0.0.2:PORT/", "http://localhost:PORT/", "http://LOCALHOST:PORT/",
        "http://localhost.:PORT/", "http://127.1:PORT/", "http://127.0.1:PORT/", "http://2130706433:PORT/",
        "http://0x7f000001:PORT/", "http://0x7f.0.0.1:PORT/", "http://0x7F.1:PORT/", "http://0177.0.0.1:PORT/",
        "http://017700000001:PORT/", "http://0177.1:PORT/", "http://127.000.000.001:PORT/", "http://0:PORT/",
        "http://0.0.0.0:PORT/", "http://00000000:PORT/", "http://127.0.0.1.:PORT/", "http://[::1]:PORT/",
        "http://[::]:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://[::ffff:7f00:1]:PORT/",
        "http://[0:0:0:0:0:ffff:7f00:0001]:PORT/", "http://[::127.0.0.1]:PORT/", "http://[64:ff9b::7f00:1]:PORT/",
        "http://[2002:7f00:1::]:PORT/", "http://user@127.0.0.1:PORT/", "http://8.8.8.8@127.0.0.1:PORT/",
        "http://user:8.8.8.8@127.0.0.1:PORT/", "http://127.0.0.1:PORT/@8.8.8.8", "http://127.0.0.1:PORT/#@8.8.8.8",
        "http://\uff11\uff12\uff17.0.0.1:PORT/", "http://127。0。0。1:PORT/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/",
        "http://%31%32%37.0.0.1:PORT/", "http://127.0.0.1%00.example.org:PORT/", "http://①②⑦.0.0.1:PORT/",
        "http:\\\\127.0.0.1:PORT/", "http:/127.0.0.1:PORT/", "http:127.0.0.1:PORT/", "//127.0.0.1:PORT/",
        "HTTP://127.0.0.1:PORT/", " http://127.0.0.1:PORT/", "http://127.0.0.1:PORT", "http://127.0.0.1:PORT?x",
        "https://127.0.0.1:PORT/", "ws://127.0.0.1:PORT/", "file:///etc/passwd", "gopher://127.0.0.1:PORT/",
        "ftp://127.0.0.1:PORT/", "unix:///run/x.sock", "http+unix://%2Frun%2Fx.sock/", "javascript:1", "data:,x",
        "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/", "http://2852039166/",
        "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://[::ffff:a9fe:a9fe]/", "http://168.63.129.16/",
        "http://100.100.100.200/", f"http://{'a' * 64}.example/", "http://a..example/", "http://.:PORT/",
    ],
)  # fmt: skip
def test_no_spelling_of_an_inner_address_is_connected_to(url):
    """Whoever listens there sees no connection."""
    failed, connections = failure(CLOSED, url)

    assert failed in (Failure.FORBIDDEN, Failure.BAD_URL, Failure.UNREACHABLE)
    assert connections == 0


def test_a_name_with_an_inner_address_is_forbidden():
    assert failure(CLOSED, "http://app.example.org:PORT/", names=Zone(["127.0.0.1"])) == (
        Failure.FORBIDDEN,
        0,
    )


def test_a_name_with_only_inner_addresses_is_forbidden():
    names = Zone(["127.0.0.1", "10.0.0.1", "127.0.0.2"])

    assert failure(CLOSED, "http://app.example.org:PORT/", names=names) == (Failure.FORBIDDEN, 0)


def test_a_name_that_changes_its_address_is_checked_each_time():
    """DNS rebinding: an address that was good a moment ago says nothing."""
    names = Zone(["127.0.0.1"], ["127.0.0.2"])
    guard = Guard(networks=(ipaddress.ip_network("127.0.0.1/32"),))

    async def post(url):
        async with open_client(guard, names=names) as client:
            await client.post(target_of(url), body=b"{}", headers={})

    async def twice():
        async with CallbackServer(answer()) as server:
            url = f"http://app.example.org:{server.port}/"
            await post(url)
            with pytest.raises(NotDelivered) as raised:
                await post(url)
            return raised.value.failure, server.connections

    assert asyncio.run(twice()) == (Failure.FORBIDDEN, 1)


def test_the_next_address_of_a_name_is_tried_when_one_is_forbidden():
    guard = Guard(networks=(ipaddress.ip_network("127.0.0.1/32"),))
    names = Zone(["10.0.0.1", "127.0.0.1"])

    assert failure(guard, "http://app.example.org:PORT/", names=names) == (None, 1)


def test_a_redirect_to_an_inner_address_is_not_followed():
    guard = Guard(networks=LOOPBACK)
    redirect = answer(status=307, headers="Location: http://169.254.169.254/latest/\r\n")

    assert failure(guard, "http://127.0.0.1:PORT/", server=redirect) == (Failure.STATUS, 1)


def test_loopback_is_allowed_where_nothing_is_configured():
    assert failure(Guard(networks=LOOPBACK), "http://localhost:PORT/") == (None, 1)


def test_a_trusted_server_may_be_anywhere():
    async def once():
        async with CallbackServer(answer(b"hello")) as server:
            guard = Guard.allowing([server.url])
            async with open_client(guard) as client:
                return await client.post(target_of(server.url + "/other"), body=b"{}", headers={})

    assert asyncio.run(once()) == b"hello"


def test_the_system_knows_localhost():
    async def ask():
        names = Names()
        try:
            return {one["host"] for one in await names.resolve("localhost", 80)}
        finally:
            await names.close()

    assert "127.0.0.1" in asyncio.run(ask())


def test_a_name_that_nobody_has_is_unreachable():
    class Nobody(Zone):
        async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert failure(CLOSED, "http://app.example.org:PORT/", names=Nobody([])) == (Failure.UNREACHABLE, 0)
