"""The benchmark of answering machines: what it found stands in the README."""

import json
from pathlib import Path

import numpy as np

from benchmarks.amd import Greeting, judged, right, with_table
from gateway.testing.greetings import long_greeting, short_greeting

_ROOT = Path(__file__).parents[2]
_DOCUMENT = json.loads((_ROOT / "benchmarks/results/amd.json").read_text())


def test_the_readme_has_the_table_of_the_committed_run():
    readme = (_ROOT / "README.md").read_text()
    assert with_table(readme, _DOCUMENT) == readme


def test_nineteen_answers_of_twenty_were_judged_rightly_and_in_time():
    assert _DOCUMENT["answers"] >= 1000
    assert _DOCUMENT["right"] >= 0.95
    assert min(_DOCUMENT["noise_db"].values()) >= 0.95
    assert _DOCUMENT["slowest_ms"] <= 4000


def test_answers_are_judged_and_beeps_are_told():
    human, machine = short_greeting(), long_greeting()
    n = max(human.size, machine.size)
    greetings = [
        Greeting("a", "human", np.pad(human, (0, n - human.size)), None),
        Greeting("b", "machine", np.pad(machine, (0, n - machine.size)), (machine.size - 8000) / 8),
        Greeting("c", "human", np.pad(machine, (0, n - machine.size)), None),
    ]
    outcomes = judged(greetings, np.stack([each.pcm for each in greetings]))

    assert [(each.verdict, each.beep) for each in outcomes] == [
        ("human", ""),
        ("machine", "heard"),
        ("machine", "false"),
    ]
    assert right(outcomes) == 0.6667
