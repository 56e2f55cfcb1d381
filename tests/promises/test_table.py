"""`docs/promises.md` is true: every test and benchmark that it names is there, and no promise is left out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NUMBERS = [*range(5, 11), *range(14, 19), *range(22, 30), 32, 34, 35, *range(37, 47), *range(48, 51)]
ROWS = {
    int(number): (said, re.findall(r"`([^`]+\.py::\w+)`", held))
    for number, said, held in re.findall(
        r"^\| (\d+) \| (.+?) \| (.+) \|$", (ROOT / "docs" / "promises.md").read_text(), re.MULTILINE
    )
}


def test_every_promise_is_in_the_table():
    assert sorted(ROWS) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_what_holds_a_promise_exists(number):
    said, held = ROWS[number]

    assert said.endswith(".")
    assert any("/test_" in each for each in held), "no test"
    for each in held:
        path, _, name = each.partition("::")
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE), each
