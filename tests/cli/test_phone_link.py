"""The link to the web phone."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.cli.phone_link import phone_link, said_of_the_web_phone
from gateway.config import load
from gateway.user_tokens import verify_token


@pytest.fixture
def config(tmp_path):
    return lambda **sections: load(None, tmp_path, overrides=sections)


def test_the_link_signs_in_alice_and_bob_in_a_second_tab(config):
    settings = config()
    link = urlsplit(phone_link(settings))

    told = parse_qs(link.fragment)
    (ours,) = settings.applications
    taken = [verify_token(told[name][0], lambda _: ours, now=time.time()) for name in ("token", "peer")]
    assert (link.netloc, link.path, link.query) == ("127.0.0.1:8080", "/phone", "")
    assert [each.user for each in taken] == ["alice", "bob"]


def test_each_link_is_another(config):
    settings = config()

    assert phone_link(settings) != phone_link(settings)


@pytest.mark.parametrize("http", [{"listen": "0.0.0.0:8080"}, {"public_url": "https://switch.example"}])
def test_where_others_could_read_it_the_link_signs_nobody_in(config, http):
    assert "#" not in said_of_the_web_phone(config(http=http))


def test_without_a_websocket_there_is_no_phone(config):
    said = said_of_the_web_phone(config(sip={"listen": ["udp:127.0.0.1:5060"]}))

    assert "There is no web phone" in said
