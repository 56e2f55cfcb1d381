"""Browsers' legs in virtual time: nothing is heard or sent before the right check and handshake."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.ids import LegId
from gateway.media.commands import WebRtcTerms
from gateway.testing.fake_browser import FakeBrowser, check
from gateway.testing.media_house import state_of
from gateway.transport.dtls import Certificate
from gateway.transport.webrtc import WebRtcLegs

LEG = LegId("a")
HOME, CAFE = ("192.0.2.1", 5000), ("198.51.100.7", 6000)
UFRAG, PASSWORD = "ours", "a password of 22 chars"


@pytest.fixture(scope="module")
def certificate():
    return Certificate.made(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def browser():
    return FakeBrowser()


@pytest.fixture
def legs(certificate):
    return WebRtcLegs(certificate)


def dress(legs, *fingerprints, now=0.0, ufrag=UFRAG, begins=False):
    """Let there be a browser's row; return what media is told of it."""
    terms = WebRtcTerms(ufrag, PASSWORD, fingerprints, begins)
    return legs.dress(replace(state_of("a", None), webrtc=terms), now)


def sent(legs):
    """Return the datagrams to send, whose order says to whom."""
    return [data for _, _, data in legs.transmit()]


def nominate(legs, source, *, now=1.0, ufrag=UFRAG):
    legs.receive(LEG, source, check(ufrag, PASSWORD, nominates=True), now)
    return sent(legs)


def shake(legs, browser, source=HOME, *, now=1.0):
    """Let the handshake run to its end, whatever it is."""
    said = browser.flight()
    while said:
        legs.receive(LEG, source, said, now)
        said = browser.flight(sent(legs))


def test_a_row_of_nobody_special_is_passed_on_as_it_is(legs):
    row = state_of("a", None)
    assert legs.dress(row, 0.0) is row
    assert len(legs) == 0


def test_before_its_handshake_a_row_has_no_address_and_keys_that_nobody_knows(legs, browser):
    row = dress(legs, browser.fingerprint)
    assert row.remote is None
    assert row.webrtc is None
    assert row.crypto is not None
    nominate(legs, HOME)
    assert dress(legs, browser.fingerprint).remote is None


def test_check_and_handshake_give_the_row_its_address_and_keys(legs, browser):
    locked = dress(legs, browser.fingerprint).crypto
    nominate(legs, HOME)
    shake(legs, browser)
    row = list(legs.rows())[-1]
    assert browser.done
    assert (row.remote, row.remote_rtcp) == (HOME, HOME)
    made = browser.exported(60)
    assert row.crypto.theirs == made[:16] + made[32:46]
    assert row.crypto.ours == made[16:32] + made[46:60]
    assert row.crypto != locked


def test_keys_of_gcm_have_a_shorter_salt(legs):
    browser = FakeBrowser(b"SRTP_AEAD_AES_128_GCM")
    dress(legs, browser.fingerprint)
    nominate(legs, HOME)
    shake(legs, browser)
    row = list(legs.rows())[-1]
    assert row.crypto.suite == "AEAD_AES_128_GCM"
    made = browser.exported(56)
    assert row.crypto.theirs == made[:16] + made[32:44]


def test_a_certificate_that_the_description_does_not_name_gets_no_keys(legs, browser):
    locked = dress(legs, FakeBrowser().fingerprint)
    nominate(legs, HOME)
    shake(legs, browser)
    assert list(legs.rows()) == []
    ((leg, reason),) = legs.silent()
    assert leg == LEG
    assert "fingerprint" in reason
    assert dress(legs, FakeBrowser().fingerprint).crypto == locked.crypto


def test_one_of_several_fingerprints_is_enough(legs, browser):
    dress(legs, FakeBrowser().fingerprint, browser.fingerprint)
    nominate(legs, HOME)
    shake(legs, browser)
    assert [row.remote for row in legs.rows()] == [HOME]


def test_a_handshake_from_where_no_check_came_is_not_answered(legs, browser):
    dress(legs, browser.fingerprint)
    nominate(legs, HOME)
    legs.receive(LEG, CAFE, browser.flight(), 1.0)
    assert sent(legs) == []


def test_a_later_nomination_moves_the_row_and_keeps_its_keys(legs, browser):
    dress(legs, browser.fingerprint)
    nominate(legs, HOME)
    shake(legs, browser)
    before = list(legs.rows())[-1]
    nominate(legs, CAFE, now=9.0)
    (after,) = legs.rows()
    assert (after.remote, after.crypto) == (CAFE, before.crypto)


def test_a_restart_takes_new_checks_and_keeps_the_keys(legs, browser):
    dress(legs, browser.fingerprint)
    nominate(legs, HOME)
    shake(legs, browser)
    before = list(legs.rows())[-1]
    assert dress(legs, browser.fingerprint, ufrag="anew") == before
    nominate(legs, CAFE, ufrag="anew")
    assert [(row.remote, row.crypto) for row in legs.rows()] == [(CAFE, before.crypto)]


def test_a_flight_that_may_be_lost_is_sent_again(legs, browser):
    dress(legs, browser.fingerprint)
    nominate(legs, HOME)
    legs.receive(LEG, HOME, browser.flight(), 1.0)
    assert sent(legs)
    assert 1.0 < legs.next_deadline() <= 2.1


def test_a_browser_that_is_not_heard_from_for_30_s_is_told_of_once(legs, browser):
    dress(legs, browser.fingerprint)
    nominate(legs, HOME, now=5.0)
    legs.deadline_reached(30.0)
    assert list(legs.silent()) == []
    assert legs.next_deadline() == 35.0
    legs.deadline_reached(35.0)
    legs.deadline_reached(99.0)
    assert [reason for _, reason in legs.silent()] == ["the browser has not been heard from for 30 s"]
    assert legs.next_deadline() is None


def test_a_browser_that_closes_its_media_is_sent_nothing_more_and_told_of_soon(legs, browser):
    dress(legs, browser.fingerprint)
    nominate(legs, HOME)
    shake(legs, browser)
    list(legs.rows())
    legs.receive(LEG, HOME, browser.goodbye(), 5.0)
    (row,) = legs.rows()
    assert (row.remote, row.remote_rtcp) == (None, None)
    legs.deadline_reached(5.0)
    assert legs.next_deadline() == 7.0
    legs.deadline_reached(6.9)
    assert list(legs.silent()) == []
    legs.deadline_reached(7.0)
    assert list(legs.silent()) == [(LEG, "the browser closed its media")]


def test_a_goodbye_from_where_no_check_came_is_not_believed(legs, browser):
    dress(legs, browser.fingerprint)
    nominate(legs, HOME)
    shake(legs, browser)
    list(legs.rows())
    legs.receive(LEG, CAFE, browser.goodbye(), 5.0)
    assert list(legs.rows()) == []


def test_another_fingerprint_is_another_handshake_and_until_then_nobody_is_heard(legs, browser):
    row = dress(legs, browser.fingerprint)
    locked = row.crypto
    nominate(legs, HOME)
    shake(legs, browser)
    before = list(legs.rows())[-1]
    other = FakeBrowser()
    row = dress(legs, other.fingerprint, ufrag="anew")
    assert (row.remote, row.crypto) == (None, locked)
    nominate(legs, HOME, ufrag="anew")
    shake(legs, other)
    after = list(legs.rows())[-1]
    assert after.remote == HOME
    assert after.crypto not in (before.crypto, locked)


def test_who_waits_is_greeted_as_soon_as_it_is_known_where_it_is_and_its_keys_are_the_other_half(legs):
    peer = FakeBrowser(begins=False)
    dress(legs, peer.fingerprint, begins=True)
    legs.receive(LEG, CAFE, check(UFRAG, PASSWORD), 1.0)
    assert len(sent(legs)) == 1  # no handshake with whom nobody has nominated
    _, *greeting = nominate(legs, HOME)
    said = peer.flight(greeting)
    while said:
        legs.receive(LEG, HOME, said, 1.0)
        said = peer.flight(sent(legs))
    row = list(legs.rows())[-1]
    made = peer.exported(60)
    assert row.remote == HOME
    assert row.crypto.ours == made[:16] + made[32:46]
    assert row.crypto.theirs == made[16:32] + made[46:60]


def shaken(legs, browser):
    """Let a browser be there; return what media was told of it last."""
    dress(legs, browser.fingerprint)
    nominate(legs, HOME)
    shake(legs, browser)
    return list(legs.rows())[-1]


def look(legs, now, packets=None):
    """Let time come, and tell who is doubted how many packets have come; return whom, and who is told of."""
    legs.deadline_reached(now)
    doubted = list(legs.doubted())
    for leg in doubted:
        legs.counted(leg, packets, now)
    return doubted, [reason for _, reason in legs.silent()]


def test_who_sends_neither_checks_nor_audio_for_13_s_is_told_of(legs, browser):
    shaken(legs, browser)
    assert look(legs, 10.9, 7) == ([], [])
    assert look(legs, 11.0, 7) == ([LEG], [])
    assert legs.next_deadline() == 14.0
    assert look(legs, 14.0, 7) == ([LEG], ["nothing has come from the browser for 13 s"])
    assert look(legs, 60.0, 7) == ([], [])


def test_who_sends_audio_and_no_checks_is_heard_until_its_consent_ends(legs, browser):
    shaken(legs, browser)
    for now, packets in ((11.0, 7), (14.0, 157), (17.0, 307), (20.0, 457), (23.0, 607), (26.0, 757)):
        assert look(legs, now, packets) == ([LEG], [])
    assert look(legs, 31.0) == ([], ["the browser has not been heard from for 30 s"])


def test_a_check_ends_all_doubt(legs, browser):
    shaken(legs, browser)
    assert look(legs, 11.0, 7) == ([LEG], [])
    legs.receive(LEG, HOME, check(UFRAG, PASSWORD), 13.0)
    assert look(legs, 14.0, 7) == ([], [])
    assert look(legs, 23.0, 7) == ([LEG], [])


def test_a_path_that_dies_is_left_for_one_that_is_nominated_in_time(legs, browser):
    before = shaken(legs, browser)
    assert look(legs, 11.0, 7) == ([LEG], [])
    nominate(legs, CAFE, now=12.0)
    assert [(row.remote, row.crypto) for row in legs.rows()] == [(CAFE, before.crypto)]
    assert look(legs, 14.0, 7) == ([], [])


def test_a_count_that_comes_late_ends_nothing(legs, browser):
    shaken(legs, browser)
    assert look(legs, 11.0, 7) == ([LEG], [])
    legs.deadline_reached(14.0)
    legs.receive(LEG, HOME, check(UFRAG, PASSWORD), 14.1)
    legs.counted(LEG, 7, 14.2)
    legs.counted(LegId("b"), 7, 14.2)
    assert list(legs.silent()) == []


def test_only_checks_of_the_path_that_media_takes_need_not_be_told(legs, browser):
    dress(legs, browser.fingerprint)
    nominate(legs, HOME)
    assert legs.lease(LEG, HOME) is None
    shake(legs, browser)
    assert legs.lease(LEG, HOME) == (UFRAG, PASSWORD, 4.0)
    assert legs.lease(LEG, CAFE) is None
    assert legs.lease(LegId("b"), HOME) is None


def test_another_process_goes_on_where_the_browser_is_and_with_its_keys(legs, browser, certificate):
    assert legs.path(LEG) is None
    before = shaken(legs, browser)
    path = legs.path(LEG)
    successor = WebRtcLegs(Certificate.made(datetime(2026, 1, 2, tzinfo=UTC)))
    successor.inherit(LEG, path)
    row = dress(successor, browser.fingerprint, now=20.0)
    assert (row.remote, row.crypto) == (HOME, before.crypto)
    assert successor.path(LEG) == path
    successor.receive(LEG, HOME, browser.goodbye(), 21.0)  # nobody can read it any more
    assert nominate(successor, CAFE, now=22.0)
    assert [(row.remote, row.crypto) for row in successor.rows()] == [(CAFE, before.crypto)]


def test_a_browser_that_has_said_goodbye_is_handed_to_nobody(legs, browser):
    shaken(legs, browser)
    legs.receive(LEG, HOME, browser.goodbye(), 5.0)
    assert legs.path(LEG) is None


def test_a_leg_that_is_closed_is_forgotten(legs, browser):
    dress(legs, browser.fingerprint)
    legs.close(LEG)
    assert nominate(legs, HOME) == []
    assert len(legs) == 0


@pytest.mark.parametrize("data", [b"", b"\x16", b"\x16\xfe\xfd" + bytes(40), b"\x00\x01", b"\xff" * 50])
def test_garbage_changes_nothing(legs, browser, data):
    dress(legs, browser.fingerprint)
    nominate(legs, HOME)
    legs.receive(LEG, HOME, data, 1.0)
    shake(legs, browser)
    assert browser.done
