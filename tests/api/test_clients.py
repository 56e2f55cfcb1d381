"""App clients: a token in, a pass out; and where SIP is spoken."""

from dataclasses import dataclass, field, replace

import pytest

from gateway.api import AppClients, PhoneOnly, create_app
from gateway.config import Listen
from gateway.store.directory import MemoryDirectory, Snapshot
from gateway.switch.guests import Guests
from gateway.testing.api_client import ApiClient, exchange
from gateway.testing.memory_platform import SetClock, memory_platform
from gateway.user_tokens import sign_token

LISTEN = (
    Listen("udp", "127.0.0.1", 5060),
    Listen("ws", "127.0.0.1", 5066),
    Listen("ws", "192.0.2.1", 5067),
    Listen("wss", "::", 5068),
)


@dataclass
class Status:
    ready: bool = True
    census: dict = field(default_factory=dict)


class House:
    """An API with app clients."""

    def __init__(self, *applications):
        self.clock = SetClock()
        self.application = applications[0]
        platform, _, _ = memory_platform(*applications, clock=self.clock)
        directory = MemoryDirectory(Snapshot(applications=applications))
        self.guests = Guests(directory, self.clock)
        directory.guest = self.guests.user
        platform = replace(platform, directory=directory)
        self.devices = {"carol": ["desk", "mobile"]}
        clients = AppClients(self.guests, "house", LISTEN, lambda user: self.devices.get(user, []))
        self.app = create_app(Status(), platform=platform, clients=clients)

    def token(self, user="carol", nonce="once", life_s=600, secret=None):
        now = int(self.clock.wall())
        return sign_token(
            self.application.key,
            secret or self.application.secret,
            user,
            nonce=nonce,
            issued_at=now,
            expires_at=now + life_s,
        )

    def register(self, token, scheme="Bearer", host="switch.example:8080"):
        headers = {"authorization": f"{scheme} {token}", "host": host}
        return exchange(self.app, "POST", "/client/v1/registrations", headers)

    def ask(self, path):
        """Ask as the application."""
        return ApiClient(self.app, self.application, self.clock).get(path)

    def get(self, path, **headers):
        return exchange(self.app, "GET", path, {"host": "switch.example:8080", **headers})


@pytest.fixture
def house(world):
    return House(world.application)


def test_a_token_is_exchanged_for_a_pass(house):
    answer = house.register(house.token())

    given = answer.json
    assert answer.status == 200
    assert (given["userId"], given["realm"], given["domain"]) == ("carol", "house", "switch.example")
    assert house.guests.password(given["username"]) == given["password"]
    assert given["expiresIn"] == 600
    assert given["expiresAt"].endswith("Z")


def test_a_token_serves_once(house):
    token = house.token()
    house.register(token)

    again = house.register(token)

    assert (again.status, again.code) == (401, 40102)
    assert "used before" in again.json["message"]


def test_a_nonce_serves_once_whatever_else_the_token_says(house):
    house.register(house.token("carol"))

    assert house.register(house.token("dora")).code == 40102


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (lambda house: house.token(secret="Zm9yZ2Vk"), 40102),
        (lambda house: house.token(life_s=59), 40108),
        (lambda house: "nonsense", 40100),
        (lambda house: "", 40100),
    ],
    ids=["forged", "short-lived", "nonsense", "nothing"],
)
def test_a_token_that_is_not_right_is_refused(house, token, code):
    answer = house.register(token(house))

    assert (answer.status, answer.code) == (401, code)
    assert answer.headers["www-authenticate"] == 'Bearer realm="tandem"'


def test_an_expired_token_is_refused(house):
    token = house.token()
    house.clock.wall_s += 601

    assert house.register(token).code == 40101


def test_another_scheme_is_refused(house):
    assert house.register(house.token(), scheme="Basic").code == 40100


def test_a_name_that_cannot_be_a_users_is_forbidden(house):
    assert house.register(house.token("echo")).code == 40300


@pytest.mark.parametrize(("user", "devices"), [("carol", 2), ("dora", 0)])
def test_an_application_is_told_whether_its_user_is_there(house, user, devices):
    house.register(house.token(user))

    answer = house.ask(f"/client/v1/users/{user}")

    assert answer.json == {"userId": user, "registered": devices > 0, "devices": devices}


def test_nobody_elses_user_is_told_of(house):
    assert house.ask("/client/v1/users/carol").code == 40400


def test_presence_is_not_for_strangers(house):
    assert house.get("/client/v1/users/carol").status == 401


def test_a_page_is_told_the_websockets_by_the_name_under_which_it_knows_us(house):
    assert house.get("/client/v1/servers").json["servers"] == [
        "ws://switch.example:5066/",
        "ws://192.0.2.1:5067/",
    ]


@pytest.mark.parametrize("path", ["/client/v1/servers", "/phone/tandem.js", "/phone/sip.js"])
def test_pages_of_other_hosts_may_read_what_they_need(house, path):
    answer = house.get(path)

    assert (answer.headers.get("access-control-allow-origin") == "*") is (answer.status == 200)


@pytest.mark.parametrize("made", ["once", "forged"])
def test_pages_of_other_hosts_may_register_and_are_told_why_not(house, made):
    token = house.token(secret=None if made == "once" else "Zm9yZ2Vk")

    assert house.register(token).headers["access-control-allow-origin"] == "*"


def test_a_browser_may_ask_first_whether_it_may_send_a_token(house):
    answer = exchange(house.app, "OPTIONS", "/client/v1/registrations", {"origin": "https://app.example"})

    assert answer.status == 204
    assert answer.headers["access-control-allow-headers"] == "Authorization"


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/openapi.json"])
def test_nothing_else_is_for_pages_of_other_hosts(house, path):
    assert "access-control-allow-origin" not in house.get(path).headers


@pytest.mark.parametrize("host", ['"><script>', "a b", "x:y:z"])
def test_a_host_that_is_none_is_not_repeated(house, host):
    answer = house.get("/client/v1/servers", host=host)

    assert answer.json["domain"] == "localhost"


def test_the_page_may_run_and_reach_nothing_but_ours(house):
    policy = house.get("/phone").headers["content-security-policy"]

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert (
        "; connect-src 'self' ws://switch.example:5066/ ws://192.0.2.1:5067/ wss://switch.example" in policy
    )
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", ["/phone", "/phone/", "/phone/tandem.js", "/phone/phone.css", "/phone/tandem.d.ts"]
)
def test_the_phone_is_served(house, path):
    assert house.get(path).status == 200


def test_a_file_that_a_browser_has_already_is_not_sent_again(house):
    etag = house.get("/phone/tandem.js").headers["etag"]

    again = house.get("/phone/tandem.js", **{"if-none-match": etag})

    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/phone/nothing.js", "/phone/../console/pages.py", "/phone/%2e%2e/pages.py"]
)
def test_nothing_else_is_served(house, path):
    assert house.get(path).status == 404


@pytest.mark.parametrize("path", ["/phone", "/phone/phone.js", "/client/v1/servers"])
def test_a_door_of_the_phone_opens_to_the_phone(house, path):
    assert exchange(PhoneOnly(house.app), "GET", path, {"host": "switch.example"}).status == 200


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/calling/v1/calls/id/1", "/client/v1/users/a"])
def test_and_to_nothing_else(house, path):
    assert exchange(PhoneOnly(house.app), "GET", path, {"host": "switch.example"}).status == 404


def test_the_registration_is_described(house):
    document = house.get("/openapi.json").json

    assert document["paths"]["/client/v1/registrations"]["post"]["security"] == []
