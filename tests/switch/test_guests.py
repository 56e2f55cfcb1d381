"""Guests: users for a while, and the passes by which they come in."""

import pytest

from gateway.errors import LocalError
from gateway.ids import SeededIds
from gateway.sip.authentication import Authenticator, ClientAuthentication, Credentials, Identity
from gateway.sip.flow import Flow
from gateway.sip.message import respond
from gateway.store.directory import MemoryDirectory, Snapshot
from gateway.switch.guests import LONGEST_S, Guests, KnownNames, Passwords
from gateway.switch.records import Application, User
from gateway.testing.memory_platform import SetClock
from gateway.testing.sip_script import parse_request, sip_request

OURS = Application("ours", "c2VjcmV0")
OTHERS = Application("others", "b3RoZXJz")
FLOW = Flow("ws", ("127.0.0.1", 5066), ("127.0.0.1", 50_000))


class House:
    """A directory with two applications, and its guests."""

    def __init__(self, *users, ours=OURS):
        self.clock = SetClock()
        self.directory = MemoryDirectory(Snapshot(applications=(ours, OTHERS), users=users))
        self.guests = Guests(self.directory, self.clock)
        self.directory.guest = self.guests.user

    def invite(self, name, *, application=OURS, for_s=600):
        return self.guests.invite(application, name, until=self.clock.wall() + for_s)

    def restarted(self):
        """Return the same house after a switch process has been started anew."""
        return House(*self.directory.snapshot.users, ours=self.directory.snapshot.applications[0])


@pytest.fixture
def house():
    return House()


def test_who_is_invited_is_a_user_of_the_application(house):
    house.invite("carol")

    assert house.directory.user("OURS", "carol") == User("ours", "carol")
    assert house.directory.user("others", "carol") is None


def test_who_is_invited_can_be_called(house):
    names = KnownNames({"bob"}, house.guests)

    house.invite("carol")

    assert ("carol" in names, "bob" in names, "dora" in names, set(names)) == (
        True,
        True,
        False,
        {"bob", "carol"},
    )


def test_the_password_of_a_pass_is_known_by_its_name(house):
    given = house.invite("carol")

    passwords = Passwords({"bob": "b"}, house.guests)
    assert (passwords[given.username], passwords["bob"]) == (given.password, "b")
    assert (given.username in passwords, "carol" in passwords) == (True, False)


def test_a_pass_ends(house):
    given = house.invite("carol", for_s=600)

    house.clock.wall_s += 600

    assert house.guests.password(given.username) is None
    assert house.directory.user("ours", "carol") is None


def test_a_pass_ends_after_a_day_at_the_latest(house):
    given = house.invite("carol", for_s=600_000)

    assert given.expires_at == house.clock.wall() + LONGEST_S


def test_a_longer_life_written_into_a_pass_has_another_password(house):
    given = house.invite("carol")
    longer = given.username.replace(str(given.expires_at), str(given.expires_at + 1))

    assert house.guests.password(longer) not in (None, given.password)


def test_another_secret_ends_all_passes(house):
    given = house.invite("carol")

    changed = House(ours=Application("ours", "bmV3"))

    assert changed.guests.password(given.username) != given.password


def test_a_pass_outlives_the_process_that_gave_it(house):
    given = house.invite("carol")
    after = house.restarted()

    assert after.guests.password(given.username) == given.password
    assert after.guests.enter(given.username) == "carol"
    assert after.directory.user("ours", "carol") == User("ours", "carol")


@pytest.mark.parametrize("name", ["echo", "conf-demo", "46700000001"])
def test_a_name_that_is_dialled_for_something_else_is_refused(house, name):
    with pytest.raises(LocalError, match="dialled for something else"):
        house.invite(name)


def test_a_name_of_another_application_is_refused():
    house = House(User("others", "carol", "secret"))

    with pytest.raises(LocalError, match="another application"):
        house.invite("carol")


def test_a_pass_counts_no_more_when_its_name_has_become_another_applications(house):
    given = house.invite("carol")
    taken = House(User("others", "carol", "secret"))

    assert taken.guests.password(given.username) is None


def test_a_user_of_the_store_keeps_name_and_password():
    house = House(User("ours", "46700000001", "secret"))

    house.invite("46700000001")

    assert house.directory.user("ours", "46700000001").password == "secret"


@pytest.mark.parametrize(
    "name", ["pass", "pass:", "pass:x:carol:ours", "pass:1::ours", "pass:1:carol:", "carol"]
)
def test_what_is_no_pass_has_no_password(house, name):
    assert house.guests.password(name) is None


def test_digest_authentication_by_a_pass_proves_the_user(house):
    given = house.invite("carol")
    server = Authenticator(
        realm="tandem",
        users=Passwords({}, house.guests),
        algorithms=["MD5"],
        ids=SeededIds(1),
        user_of=house.guests.enter,
    )
    client = ClientAuthentication(Credentials(given.username, given.password), SeededIds(2))
    request = parse_request(sip_request("REGISTER"))

    client.learn(respond(request, 401, headers=server.challenge(FLOW, 0.0)), 0)

    assert server.identify(client.authorize(request), FLOW, 0.0) == Identity("carol")
