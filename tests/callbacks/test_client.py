"""The HTTP client against servers that behave as servers do at night."""

import asyncio
import ssl
import time
from contextlib import asynccontextmanager

import pytest
import trustme

from gateway.callbacks.client import ANSWER_BYTES, Failure, NotDelivered, open_client, shown, target_of
from gateway.callbacks.guard import LOOPBACK, Guard
from gateway.testing.callback_server import (
    CallbackServer,
    answer,
    babble,
    close_half_way,
    drip,
    hang_up,
    in_turn,
    never_end,
    say_nothing,
)

HERE = Guard(networks=LOOPBACK)
BODY = b'{"event":"ice"}'
SVAML = b'{"action":{"name":"hangup"}}'


@asynccontextmanager
async def asking(behave, *, patience_s=5.0, **options):
    """Give a function that posts to a server with this behaviour, and the server."""
    async with (
        CallbackServer(behave, **options) as server,
        open_client(HERE, patience_s=patience_s) as client,
    ):
        yield lambda: client.post(target_of(server.url), body=BODY, headers={"ce-id": "7"}), server


def outcome(behave, **options):
    """Return the answer, or the failure."""

    async def once():
        async with asking(behave, **options) as (post, _):
            return await post()

    try:
        return asyncio.run(once())
    except NotDelivered as error:
        return error.failure


def test_an_answer_is_its_body():
    assert outcome(answer(SVAML)) == SVAML


def test_what_is_posted_arrives_as_it_is():
    async def once():
        async with asking(answer()) as (post, server):
            await post()
            return server.received

    (request,) = asyncio.run(once())
    assert (request.method, request.target, request.body, request.headers["ce-id"]) == (
        "POST",
        "/calls",
        BODY,
        "7",
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_an_answer(status):
    assert outcome(answer(status=status)) == b""


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308, 400, 401, 404, 429, 500, 503])
def test_every_other_status_is_a_failure(status):
    assert outcome(answer(status=status)) is Failure.STATUS


def test_a_redirect_is_not_followed():
    async def once():
        async with asking(answer(status=307)) as (post, server):
            server.behave = answer(status=307, headers=f"Location: {server.url}/elsewhere\r\n")
            with pytest.raises(NotDelivered, match="redirects are not followed"):
                await post()
            return [request.target for request in server.received]

    assert asyncio.run(once()) == ["/calls"]


@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream", "no type at all", ""])
def test_the_content_type_of_an_answer_does_not_matter(content_type):
    assert outcome(answer(SVAML, headers=f"Content-Type: {content_type}\r\n")) == SVAML


def test_a_compressed_answer_is_not_unpacked():
    """Nobody asked for it, and 64 KiB of it may be a gigabyte."""
    assert outcome(answer(b"\x1f\x8bwhatever", headers="Content-Encoding: gzip\r\n")) == b"\x1f\x8bwhatever"


@pytest.mark.parametrize(
    ("behave", "failure"),
    [
        (babble, Failure.BROKEN),
        (hang_up, Failure.BROKEN),
        (close_half_way, Failure.BROKEN),
        (never_end, Failure.TOO_LONG),
        (answer(b" " * 10_000_000), Failure.TOO_LONG),
        (answer(b" " * (ANSWER_BYTES + 1)), Failure.TOO_LONG),
        (answer(headers="X-Long: " + "x" * 100_000 + "\r\n"), Failure.BROKEN),
        (answer(headers="X-Many: x\r\n" * 1000), Failure.BROKEN),
    ],
)
def test_what_is_no_answer_is_a_failure_at_once(behave, failure):
    began_at = time.monotonic()

    assert outcome(behave) is failure
    assert time.monotonic() - began_at < 2.0


@pytest.mark.parametrize("behave", [say_nothing, drip])
def test_an_answer_that_takes_too_long_is_cut(behave):
    assert outcome(behave, patience_s=0.1) is Failure.LATE


def test_the_longest_answer_is_taken():
    assert outcome(answer(b" " * ANSWER_BYTES)) == b" " * ANSWER_BYTES


def test_where_nobody_listens_it_fails_at_once():
    async def once():
        async with CallbackServer(answer()) as server:
            gone = server.url
        async with open_client(HERE) as client:
            await client.post(target_of(gone), body=BODY, headers={})

    with pytest.raises(NotDelivered) as raised:
        asyncio.run(once())
    assert raised.value.failure is Failure.UNREACHABLE


def test_a_connection_is_used_again():
    async def thrice():
        async with asking(answer(SVAML)) as (post, server):
            for _ in range(3):
                await post()
            return server.connections, len(server.received)

    assert asyncio.run(thrice()) == (1, 3)


def test_a_kept_connection_that_closes_under_a_request_costs_nothing():
    async def twice():
        async with asking(in_turn(answer(), hang_up, answer(SVAML))) as (post, server):
            await post()
            return await post(), server.connections, len(server.received)

    assert asyncio.run(twice()) == (SVAML, 2, 3)


def test_cookies_are_not_kept():
    async def twice():
        async with asking(answer(headers="Set-Cookie: a=b\r\n")) as (post, server):
            await post()
            await post()
            return [request.headers.get("cookie") for request in server.received]

    assert asyncio.run(twice()) == [None, None]


def test_a_hundred_at_once_are_all_answered():
    async def at_once():
        async with asking(answer(SVAML)) as (post, _):
            return await asyncio.gather(*(post() for _ in range(100)))

    assert asyncio.run(at_once()) == [SVAML] * 100


def test_a_silent_server_holds_up_nobody_else():
    async def at_once():
        async with (
            CallbackServer(say_nothing) as silent,
            CallbackServer(answer(SVAML)) as good,
            open_client(HERE) as client,
        ):
            waiting = [
                asyncio.ensure_future(client.post(target_of(silent.url), body=BODY, headers={}))
                for _ in range(100)
            ]
            answered = await client.post(target_of(good.url), body=BODY, headers={})
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return answered

    assert asyncio.run(at_once()) == SVAML


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def over_tls(authority, *, trusting, name="localhost"):
    """Post by https to a server with a certificate for `name`; return the answer or the failure."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(server_side)
    ours = ssl.create_default_context()
    if trusting:
        authority.configure_trust(ours)

    async def once():
        async with (
            CallbackServer(answer(SVAML), tls=server_side) as server,
            open_client(HERE, tls=ours) as client,
        ):
            return await client.post(target_of(server.url), body=BODY, headers={})

    try:
        return asyncio.run(once())
    except NotDelivered as error:
        return error.failure


def test_https_with_a_trusted_certificate(authority):
    assert over_tls(authority, trusting=True) == SVAML


def test_https_with_a_certificate_of_nobody(authority):
    assert over_tls(authority, trusting=False) is Failure.UNREACHABLE


def test_https_with_a_certificate_of_somebody_else(authority):
    assert over_tls(authority, trusting=True, name="elsewhere.example") is Failure.UNREACHABLE


@pytest.mark.parametrize(
    "url", ["", "/calls", "ftp://example.org/", "http://", "http:///x", "http://h:99999/", "x"]
)
def test_what_is_no_url_is_not_asked(url):
    with pytest.raises(NotDelivered) as raised:
        target_of(url)
    assert raised.value.failure is Failure.BAD_URL


def test_a_password_in_the_url_is_neither_sent_nor_shown():
    url = "https://user:hunter2@example.org/calls?token=hunter3#part"

    assert str(target_of(url)) == "https://example.org/calls?token=hunter3"
    assert shown(url) == "https://example.org/calls"


def test_what_is_no_url_is_not_shown():
    assert shown("http://[secret") == "not a URL"
