"""An application's numbers and callback URLs (section 5.5), in every client's spelling."""

import pytest

from gateway.switch.records import Number

NUMBERS = "/v1/configuration/numbers"
CALLBACKS = "/v1/configuration/callbacks/applications/5F5C418A-0F91-4BBC-8234-A9BF5EDDAD97"
FREE, OWN, FOREIGN = "+46700000001", "+46700000002", "+46700000003"


@pytest.fixture
def owner(world):
    """Return a world with a number of each kind."""
    for number, application in (
        (FREE, None),
        (OWN, world.application.key),
        (FOREIGN, world.others.application.key),
    ):
        world.store.owned[number, "voice"] = Number(number, application)
    return world


def has(world, number):
    return world.store.owned[number, "voice"].application


def test_own_and_free_numbers_are_listed(owner):
    assert owner.api.get(NUMBERS).json == {
        "numbers": [
            {"number": FREE, "capability": "voice"},
            {"number": OWN, "applicationkey": owner.application.key, "capability": "voice"},
        ]
    }


@pytest.mark.parametrize(
    "spelling", ["applicationkey", "applicationKey", "application_key", "APPLICATIONKEY"]
)
def test_a_number_is_assigned_whatever_the_spelling_of_the_key(owner, spelling):
    wish = {"numbers": [FREE], spelling: owner.application.key.lower(), "capability": "voice"}

    answer = owner.api.post(NUMBERS, wish)

    assert (answer.status, answer.body, has(owner, FREE)) == (200, b"", owner.application.key)


@pytest.mark.parametrize("key", [None, ""])
def test_an_empty_key_is_the_one_that_asks(owner, key):
    assert owner.api.post(NUMBERS, {"numbers": [FREE], "applicationkey": key}).status == 200
    assert has(owner, FREE) == owner.application.key


@pytest.mark.parametrize("spelling", ["applicationkey", "applicationKey"])
def test_a_number_is_unassigned_by_a_delete_with_a_body(owner, spelling):
    answer = owner.api.delete(
        NUMBERS, {"number": OWN, spelling: owner.application.key, "capability": "voice"}
    )

    assert (answer.status, answer.body, has(owner, OWN)) == (200, b"", None)


@pytest.mark.parametrize("number", ["+46 70-000 00 01", "0046700000001", "46700000001"])
def test_a_number_may_be_written_as_people_write_it(owner, number):
    owner.api.post(NUMBERS, {"numbers": [number]})

    assert has(owner, FREE) == owner.application.key


@pytest.mark.parametrize("numbers", [[FOREIGN], ["+46799999999"], ["nonsense"], [FREE, FOREIGN]])
def test_numbers_that_are_not_ours_are_not_assigned_and_neither_are_those_beside_them(owner, numbers):
    answer = owner.api.post(NUMBERS, {"numbers": numbers})

    assert (answer.status, answer.code) == (400, 40001)
    assert answer.json["message"].startswith("Unable to update numbers")
    assert (has(owner, FREE), has(owner, FOREIGN)) == (None, owner.others.application.key)


@pytest.mark.parametrize("number", [FREE, FOREIGN, "+46799999999"])
def test_a_number_that_is_not_assigned_to_us_is_not_unassigned(owner, number):
    assert owner.api.delete(NUMBERS, {"number": number}).code == 40001
    assert has(owner, FOREIGN) == owner.others.application.key


def test_nobody_configures_another_application(owner):
    key = owner.others.application.key

    answers = [
        owner.api.post(NUMBERS, {"numbers": [FREE], "applicationkey": key}),
        owner.api.delete(NUMBERS, {"number": FOREIGN, "applicationkey": key}),
        owner.api.get(CALLBACKS.replace(owner.application.key, key)),
        owner.api.post(CALLBACKS.replace(owner.application.key, key), {"url": {"primary": "http://a.b/"}}),
    ]

    assert [(answer.status, answer.code) for answer in answers] == [(400, 40003)] * 4
    assert {answer.json["message"] for answer in answers} == {"Invalid Application Key"}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, 40002),
        ({"numbers": []}, 40001),
        ({"numbers": "+46700000001"}, 40001),
        ({"numbers": [FREE], "capability": "video"}, 40001),
    ],
)
def test_an_assignment_that_makes_no_sense_is_refused(owner, wish, code):
    assert owner.api.post(NUMBERS, wish).code == code


def test_callbacks_are_set_and_told(world):
    urls = {"url": {"primary": "https://example.org/a", "fallback": "https://example.org/b"}}

    answer = world.api.post(CALLBACKS, urls)

    assert (answer.status, answer.body) == (200, b"")
    assert world.api.get(CALLBACKS).json == urls


def test_a_fallback_of_null_is_none(world):
    world.api.post(CALLBACKS, {"url": {"primary": "https://example.org/a", "fallback": None}})

    assert world.api.get(CALLBACKS).json == {"url": {"primary": "https://example.org/a"}}


def test_an_application_without_callbacks_has_an_empty_primary(world):
    assert world.api.get(CALLBACKS).json == {"url": {"primary": ""}}


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/", "example.org", "https://", "javascript:alert(1)", "http://h:99999/", "http://[::"],
)
def test_a_callback_url_that_is_none_is_refused(world, url):
    answer = world.api.post(CALLBACKS, {"url": {"primary": url}})

    assert (answer.status, answer.code) == (400, 40001)


def test_callbacks_without_a_url_lack_a_parameter(world):
    assert world.api.post(CALLBACKS, {}).code == 40002
