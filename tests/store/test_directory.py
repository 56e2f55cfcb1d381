"""The directory in memory: what a call asks while it is set up."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.directory import MemoryDirectory, Snapshot
from gateway.switch.records import Money, Rate

DIGITS = st.text("0123", min_size=1, max_size=6).map("+{}".format)


def rate(prefix):
    return Rate(prefix, "SE", "Mobile", Money(Decimal(1), "EUR"))


@given(prefixes=st.sets(DIGITS, max_size=8), number=DIGITS)
def test_the_longest_prefix_of_a_number_has_its_price(prefixes, number):
    directory = MemoryDirectory(Snapshot(rates=tuple(rate(prefix) for prefix in prefixes)))

    matching = [prefix for prefix in prefixes if number.startswith(prefix)]
    expected = rate(max(matching, key=len)) if matching else None
    assert directory.rate(number) == expected


def test_what_nobody_has_is_not_there():
    directory = MemoryDirectory()

    assert directory.application("nobody") is None
    assert directory.number("+46700000001") is None
    assert directory.user("nobody", "alice") is None
    assert directory.numbers() == directory.users() == directory.applications() == []
