"""Keys, gathered until there are enough."""

from math import inf

import pytest

from gateway.switch.keypad import Keypad


class Hand:
    """Presses keys at times that a test chooses."""

    def __init__(self, wanted, timeout_s):
        self.now = 0.0
        self.keys = Keypad(lambda: self.now)
        self.keys.gather(wanted, timeout_s)

    def press(self, keys, *, every_s=0.1):
        for key in keys:
            self.now += every_s
            self.keys.press(None, key)
        return self.keys.take()


@pytest.mark.parametrize(
    ("wanted", "pressed", "taken"),
    [(1, "5", "5"), (1, "#", "#"), (4, "1234", "1234"), (4, "12#", "12"), (4, "#", ""), (4, "12", None)],
)
def test_gathering_ends_with_enough_or_a_pound_sign(wanted, pressed, taken):
    assert Hand(wanted, 3.0).press(pressed) == taken


def test_what_there_is_will_do_when_no_key_follows_in_time():
    hand = Hand(4, 3.0)
    assert hand.press("12") is None

    hand.now = hand.keys.due_at
    assert hand.keys.take() == "12"


def test_the_first_key_may_take_for_ever_unless_it_is_hurried():
    hand = Hand(4, 3.0)
    assert hand.keys.due_at == inf

    hand.keys.hurry()
    hand.now = 3.0
    assert hand.keys.take() == ""


def test_gathering_begins_anew_after_each_taking():
    hand = Hand(2, 3.0)
    assert hand.press("12") == "12"

    assert hand.press("34") == "34"
