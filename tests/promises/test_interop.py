"""`docs/interop.md` is true: every test that it names exists, no cell is left out, and its overview says the same."""

import re

import pytest

from gateway.testing.documented import ROOT, named_tests, rows_of, unknown_tests

PAGE = (ROOT / "docs" / "interop.md").read_text()
OVERVIEW, *SECTIONS = re.split(r"^## .+$", PAGE, flags=re.MULTILINE)
PEERS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
N_PEERS = 9
FEATURES = [row[0] for row in rows_of("interop.md", columns=N_PEERS + 1)]
HELD = [re.findall(r"^\| (?!what|-)(.+?) \| (.+) \|$", section, re.MULTILINE) for section in SECTIONS]


def sign_of(cell):
    """Return the sign that a cell has in the overview."""
    return {"Not offered": "\N{EN DASH}", "Not tested": "○"}.get(cell.partition(":")[0], "✔")


def test_every_peer_is_in_the_overview_with_every_feature():
    assert len(PEERS) == N_PEERS
    assert len(FEATURES) >= 15
    assert [[feature for feature, _ in held] for held in HELD] == [FEATURES] * N_PEERS


@pytest.mark.parametrize("number", range(N_PEERS), ids=PEERS)
def test_what_holds_a_cell_exists_or_a_reason_is_given(number):
    for feature, cell in HELD[number]:
        assert unknown_tests(cell) == [], feature
        assert named_tests(cell) or cell.endswith("."), feature
        assert sign_of(cell) != "✔" or named_tests(cell), feature


@pytest.mark.parametrize("number", range(N_PEERS), ids=PEERS)
def test_the_overview_says_what_the_tables_say(number):
    signs = [row[number + 1] for row in rows_of("interop.md", columns=N_PEERS + 1)]

    assert signs == [sign_of(cell) for _, cell in HELD[number]]
