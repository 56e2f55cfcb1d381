"""The README's table of what one core carries, and the search that fills it."""

import json
from pathlib import Path

import pytest

from gateway.lab.bench.capacity import search
from gateway.lab.bench.capacity_table import table, with_table

_ROOT = Path(__file__).parents[2]
_NAMES = ("bridge-pcmu-pcmu", "bridge-pcmu-pcma", "bridge-pcmu-g729", "bridge-pcmu-ilbc",
          "conference-one-room", "conference-rooms-of-3")  # fmt: skip


def _committed() -> list[dict]:
    paths = [_ROOT / "benchmarks/results" / f"{name}.json" for name in _NAMES]
    return [json.loads(path.read_text()) for path in paths if path.exists()]


def test_the_readme_has_the_table_of_the_committed_runs() -> None:
    readme = (_ROOT / "README.md").read_text()

    assert with_table(readme, _committed()) == readme


def test_a_work_that_no_peer_carries_has_no_ratio() -> None:
    alone = _committed()[0] | {"peer": None}

    assert table([alone]).splitlines()[2].endswith("| nobody carries it |  |  |")


@pytest.mark.parametrize("capacity", [0, 7, 150, 1000, 1777])
@pytest.mark.parametrize("first", [200, 900])
def test_the_search_ends_near_the_capacity(capacity: int, first: int) -> None:
    carried = [n for n in search(lambda n: n <= capacity, first) if n <= capacity]

    assert capacity - max(carried, default=0) <= max(10, 0.04 * capacity)


def test_a_search_that_begins_near_the_capacity_takes_fewer_steps() -> None:
    assert len(list(search(lambda n: n <= 1777, 1243))) < len(list(search(lambda n: n <= 1777)))
