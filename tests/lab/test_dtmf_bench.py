"""The benchmark of keys as tones: what it found stands in the README, and it finds it again in small."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.dtmf import LIMITS, Figure, find, meets, talk_off, with_table
from gateway.testing.audio import speech
from gateway.testing.frames import Coding
from gateway.testing.key_tones import KeySound, key_sound

_ROOT = Path(__file__).parents[2]
_DOCUMENT = json.loads((_ROOT / "benchmarks/results/dtmf.json").read_text())
_CODINGS = {"G.711": Coding("pcmu"), "G.729": Coding("g729"), "iLBC": Coding("ilbc", mode_ms=20)}


def test_the_readme_has_the_table_of_the_committed_run():
    readme = (_ROOT / "README.md").read_text()
    assert with_table(readme, _DOCUMENT) == readme


def test_every_limit_of_q24_was_met():
    figures = {each["name"]: Figure(**each) for each in _DOCUMENT["limits"]}
    assert [limit.name for limit in LIMITS if not meets(limit, figures[limit.name])] == []


def test_no_key_was_heard_in_half_an_hour_of_speech():
    assert {each["codec"] for each in _DOCUMENT["talk_off"]} == set(_CODINGS)
    assert all(each["minutes"] >= 30 and each["false_keys"] == 0 for each in _DOCUMENT["talk_off"])


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_every_limit_of_q24_is_met_now(limit):
    ends = [limit.must] if limit.must_not is None else [limit.must, limit.must_not]
    small = replace(limit, values=ends)
    assert meets(small, find(small))


@pytest.mark.parametrize("codec", _CODINGS)
def test_the_shipped_speech_has_no_keys_in_it(codec):
    assert talk_off(codec, _CODINGS[codec], speech()[None]).false_keys == 0


def test_talk_off_would_hear_a_key():
    streams = np.stack([key_sound("5", KeySound()), key_sound("#", KeySound())])
    assert talk_off("G.711", _CODINGS["G.711"], streams).false_keys == 2


def test_a_detector_that_hears_too_little_or_too_much_does_not_meet_a_limit():
    limit = next(limit for limit in LIMITS if limit.name == "shortest tone")
    assert meets(limit, Figure(limit.name, heard_to=35, nothing_from=25))
    assert not meets(limit, Figure(limit.name, heard_to=45, nothing_from=25))
    assert not meets(limit, Figure(limit.name, heard_to=35, nothing_from=20))
    assert not meets(limit, Figure(limit.name, heard_to=None, nothing_from=None))
