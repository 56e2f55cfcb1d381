"""Whose request it is: sections 2.1 and 2.2 of the wire format, over the application as it runs."""

import base64

import pytest

from gateway import signing
from gateway.api.replays import Replays
from gateway.testing.api_client import basic, exchange

NUMBERS = "/v1/configuration/numbers"


def test_basic_shows_key_and_secret(world):
    assert world.api.get(NUMBERS, auth="basic").status == 200


def test_the_stray_colon_of_the_documents_sample_is_overlooked(world):
    header = basic(world.application).replace("Basic ", "Basic: ")

    assert world.api.get(NUMBERS, auth="none", headers={"authorization": header}).status == 200


def test_a_wrong_secret_is_invalid_credentials(world):
    header = "Basic " + base64.b64encode(f"{world.application.key}:no".encode()).decode()

    answer = world.api.get(NUMBERS, auth="none", headers={"authorization": header})

    assert (answer.status, answer.code) == (401, 40108)
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize(
    "header", ["", "nonsense", "Basic", "Basic !", "Application onlykey", "Bearer a.b.c"]
)
def test_what_is_no_authorization_is_illegal(world, header):
    answer = world.api.get(NUMBERS, auth="none", headers={"authorization": header})

    assert (answer.status, answer.code) == (401, 40100)
    assert answer.json["message"] == "Illegal Authorization Header"


@pytest.mark.parametrize("header", ["User token", "Instance id:signature"])
def test_a_scheme_that_no_method_takes_is_named_so(world, header):
    answer = world.api.get(NUMBERS, auth="none", headers={"authorization": header})

    assert (answer.status, answer.code) == (403, 40301)


def test_basic_can_be_off_for_an_application(make_world):
    world = make_world(basic=False)

    assert world.api.get(NUMBERS, auth="basic").code == 40301
    assert world.api.get(NUMBERS, auth="signed").status == 200


def test_the_key_is_compared_without_regard_to_case(make_world):
    world = make_world()
    header = (
        "Basic "
        + base64.b64encode(f"{world.application.key.lower()}:{world.application.secret}".encode()).decode()
    )

    assert world.api.get(NUMBERS, auth="none", headers={"authorization": header}).status == 200


def signed(world, method, target, *, path=None, body=b"", content_type="application/json", stamp=None):
    """Return the headers of a request that was signed over `path`, which need not be the target's."""
    stamp = stamp or signing.timestamp(world.clock.wall())
    request = signing.Signable(
        method=method, path=path or target, content_type=content_type, timestamp=stamp, body=body
    )
    header = signing.authorization(world.application.key, world.application.secret, request)
    return {"authorization": header, "x-timestamp": stamp, "content-type": content_type}


@pytest.mark.parametrize(
    "stamp",
    ["{}.839Z", "{}.351501+00:00", "{}.1234567Z", "{}Z"],
    ids=["node", "python", "dotnet", "2014"],
)
def test_every_clients_timestamp_is_read(world, stamp):
    whole = signing.timestamp(world.clock.wall())[:19]

    headers = signed(world, "GET", NUMBERS, stamp=stamp.format(whole))

    assert exchange(world.api.app, "GET", NUMBERS, headers).status == 200


def test_a_get_without_a_content_type_was_signed_over_an_empty_line(world):
    headers = signed(world, "GET", NUMBERS, content_type="")

    assert exchange(world.api.app, "GET", NUMBERS, headers).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/calling/v1/conferences/id/my%20conf",
        "/calling/v1/conferences/id/my conf",
        "/calling/v1/conferences/id/my%20conf?a=1",
    ],
    ids=["as sent", "decoded", "with its query"],
)
def test_the_path_may_be_signed_in_three_ways(world, path):
    target = "/calling/v1/conferences/id/my%20conf?a=1"

    answer = exchange(world.api.app, "GET", target, signed(world, "GET", target, path=path))

    assert answer.code == 40400


def test_a_plus_in_the_path_stays_a_plus(world):
    target = "/v1/calling/query/number/+46700000000"

    answer = exchange(world.api.app, "GET", target, signed(world, "GET", target))

    assert answer.json["number"]["normalizedNumber"] == "+46700000000"


def test_the_path_is_signed_as_the_client_wrote_it_and_not_as_we_serve_it(world):
    alias, ours = "/calling/v1/configuration/numbers/", NUMBERS

    assert exchange(world.api.app, "GET", alias, signed(world, "GET", alias)).status == 200
    assert exchange(world.api.app, "GET", alias, signed(world, "GET", ours)).code == 40102


def test_a_changed_byte_is_an_invalid_signature(world):
    body = b'{"numbers": ["+46700000000"]}'
    headers = signed(world, "POST", NUMBERS, body=body)

    answer = exchange(world.api.app, "POST", NUMBERS, headers, body.replace(b"4670", b"4671"))

    assert (answer.status, answer.code) == (401, 40102)
    assert answer.json["message"] == "Invalid Signature"


def test_a_key_that_nobody_has_is_an_invalid_signature_too(world):
    headers = signed(world, "GET", NUMBERS)
    headers["authorization"] = headers["authorization"].replace("5F5C", "0000")

    assert exchange(world.api.app, "GET", NUMBERS, headers).code == 40102


@pytest.mark.parametrize("off_s", [-901, 901])
def test_a_timestamp_out_of_the_window_is_refused(world, off_s):
    headers = signed(world, "GET", NUMBERS, stamp=signing.timestamp(world.clock.wall() + off_s))

    answer = exchange(world.api.app, "GET", NUMBERS, headers)

    assert (answer.status, answer.code) == (401, 40101)


def test_a_signed_request_without_a_timestamp_is_refused(world):
    headers = signed(world, "GET", NUMBERS) | {"x-timestamp": ""}

    assert exchange(world.api.app, "GET", NUMBERS, headers).code == 40101


def test_a_write_that_comes_again_is_refused(world):
    target, body = "/calling/v1/callouts", b'{"method": "customCallout", "customCallout": {}}'
    headers = signed(world, "POST", target, body=body)

    first = exchange(world.api.app, "POST", target, headers, body)
    second = exchange(world.api.app, "POST", target, headers, body)

    assert (first.status, second.code, len(world.calls.callouts)) == (200, 40102, 1)


def test_a_read_that_comes_again_is_answered_again(world):
    headers = signed(world, "GET", NUMBERS)

    answers = [exchange(world.api.app, "GET", NUMBERS, headers) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]


def test_authentication_comes_before_the_body_is_understood(world):
    assert world.api.post("/calling/v1/callouts", body=b"{", auth="none").code == 40100


def test_a_signature_is_remembered_as_long_as_it_would_be_good():
    replays = Replays(keep_s=10)

    assert [replays.first_time("a", now) for now in (0, 10, 20.1)] == [True, False, True]


def test_the_memory_of_signatures_has_an_end():
    replays = Replays(keep_s=1e9, most=3)

    for now, signature in enumerate("abcd"):
        replays.first_time(signature, now)

    assert len(replays) == 3
    assert replays.first_time("d", 4) is False
    assert replays.first_time("a", 5) is True
