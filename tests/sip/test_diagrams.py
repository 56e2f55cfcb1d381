"""The drawn machines are those that run."""

from pathlib import Path

import pytest

from gateway.sip.diagram import page
from gateway.sip.offer_table import OFFERS, OfferInput, OfferState
from gateway.sip.referral_table import REFERRALS, ReferralInput, ReferralState
from gateway.sip.refresh_table import REFRESH, RefreshInput, RefreshState
from gateway.sip.reliable_table import RELIABLE, ReliableInput, ReliableState

PAGE = Path(__file__).parents[2] / "docs" / "state-machines.md"


def test_the_page_is_current() -> None:
    """If not: `python -m gateway.sip.diagram > docs/state-machines.md`."""
    assert PAGE.read_text() == page()


def test_every_offer_is_answered_by_the_table() -> None:
    assert set(OFFERS) == {(state, happened) for state in OfferState for happened in OfferInput}


@pytest.mark.parametrize(
    ("table", "states", "inputs"),
    [
        (REFRESH, set(RefreshState), set(RefreshInput)),
        (RELIABLE, set(ReliableState), set(ReliableInput)),
        (REFERRALS, set(ReferralState) - {ReferralState.OVER}, set(ReferralInput)),
    ],
)
def test_every_state_can_be_left_and_every_input_happens(table: dict, states: set, inputs: set) -> None:  # type: ignore[type-arg]  # of three kinds
    assert {state for state, _ in table} == states
    assert {happened for _, happened in table} == inputs
