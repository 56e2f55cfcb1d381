"""People and machines, told apart by how a greeting goes."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.models import Answering
from gateway.ids import LegId, SeededIds
from gateway.media.answering_machine import ANSWERER, AnswerDetector, AnsweringTerms, Beep, Sign, Verdict, Who
from gateway.media.commands import row_as_map, row_from_map
from gateway.media.events import AnswerJudged, BeepHeard, event_as_map, event_from_map
from gateway.media.plane import Plane
from gateway.testing.audio import speech
from gateway.testing.frames import Coding
from gateway.testing.greetings import beep, long_greeting, short_greeting, silence
from gateway.testing.plane_bench import PlaneBench

UNIT = 80
TERMS = AnsweringTerms()
HUMAN = (Who.HUMAN, Sign.GREETING)
MACHINE = (Who.MACHINE, Sign.LONGGREETING)


def heard(pcm, terms=TERMS):
    """Return what is found out of one row."""
    detector, row = AnswerDetector(np.zeros(1, ANSWERER)), np.zeros(1, np.int32)
    detector.follow(0, terms)
    units = pcm[: pcm.size // UNIT * UNIT].reshape(-1, 1, UNIT)
    return [news for unit in units for news in detector.hear(row, unit)]


def verdict(pcm, terms=TERMS):
    (found,) = [news for news in heard(pcm, terms) if isinstance(news, Verdict)]
    return found.who, found.sign


def noisy(pcm, snr_db):
    level = np.sqrt(np.mean(speech().astype(np.float64) ** 2)) * 10 ** (-snr_db / 20)
    noise = np.random.default_rng(1).normal(0, level, pcm.size)
    return np.clip(pcm + noise, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("after_s", [0.0, 0.4, 1.2])
def test_a_few_words_and_then_silence_are_a_person(after_s):
    assert verdict(short_greeting(after_s=after_s)) == HUMAN


@pytest.mark.parametrize("after_s", [0.0, 0.4, 1.2])
def test_who_goes_on_speaking_is_a_machine(after_s):
    assert verdict(long_greeting(after_s=after_s)) == MACHINE


def test_who_says_nothing_is_a_machine():
    assert verdict(silence(5)) == (Who.MACHINE, Sign.INITIALSILENCE)


def test_who_only_beeps_is_a_machine():
    assert verdict(np.concatenate([silence(1.0), beep(), silence(2)])) == (Who.MACHINE, Sign.BEEP)


def test_who_begins_late_and_does_not_stop_is_anybody():
    assert verdict(long_greeting(after_s=2.2)) == (Who.NOTSURE, Sign.NONE)


@pytest.mark.parametrize("snr_db", [20, 10])
@pytest.mark.parametrize(("greeting", "who"), [(short_greeting, HUMAN), (long_greeting, MACHINE)])
def test_noise_is_no_voice(greeting, who, snr_db):
    assert verdict(noisy(greeting(), snr_db)) == who


def test_noise_alone_is_silence():
    assert verdict(noisy(silence(5), 10)) == (Who.MACHINE, Sign.INITIALSILENCE)


@pytest.mark.parametrize("codec", ["pcma", "g729", "ilbc"])
@pytest.mark.parametrize(("greeting", "who"), [(short_greeting, HUMAN), (long_greeting, MACHINE)])
def test_greetings_survive_codecs(greeting, who, codec):
    coding = Coding(codec, mode_ms=20) if codec == "ilbc" else Coding(codec)
    assert verdict(coding.decode(coding.encode(greeting()))) == who


def test_a_click_is_no_word():
    clicking = silence(5)
    clicking[8000:8160] = 12_000
    assert verdict(clicking) == (Who.MACHINE, Sign.INITIALSILENCE)


def test_a_beep_is_told_when_it_is_over():
    (found,) = [news for news in heard(long_greeting()) if isinstance(news, Beep)]

    over_ms = 1000 * (0.4 + speech().size / 8000 + 0.3 + 0.4)
    assert over_ms < found.after_ms <= over_ms + 60


def test_a_packet_that_is_lost_does_not_end_a_beep():
    torn = beep()
    torn[1600:1760] = 0
    found = [
        news for news in heard(np.concatenate([silence(0.5), torn, silence(1)])) if isinstance(news, Beep)
    ]
    assert [each.after_ms // 100 for each in found] == [9]


def test_speech_does_not_beep():
    assert not any(isinstance(news, Beep) for news in heard(speech()))


def test_a_person_is_not_listened_to_any_longer():
    assert len(heard(np.concatenate([short_greeting(), beep(), silence(1)]))) == 1


def test_a_machine_that_does_not_beep_is_given_up_after_a_minute():
    assert heard(np.concatenate([long_greeting()[:40_000], silence(60)]))[-1] == Beep(0, None)


def test_the_terms_say_how_long_is_long():
    patient = replace(TERMS, longest_greeting_ms=400)
    assert verdict(short_greeting(), patient) == MACHINE


@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(
        st.tuples(st.sampled_from(["silence", "noise", "tone", "speech"]), st.integers(1, 200)), max_size=12
    )
)
def test_whatever_is_heard_there_is_one_verdict_within_four_seconds(parts):
    chance, pcm = np.random.default_rng(1), [np.zeros(0, np.int16)]
    for kind, units in parts:
        n = units * UNIT
        pcm.append(
            {
                "silence": lambda n=n: np.zeros(n, np.int16),
                "noise": lambda n=n: chance.integers(-3000, 3000, n).astype(np.int16),
                "tone": lambda n=n: np.resize(beep(), n),
                "speech": lambda n=n: np.resize(speech(), n),
            }[kind]()
        )
    verdicts = [news for news in heard(np.concatenate([*pcm, silence(4)])) if isinstance(news, Verdict)]
    assert len(verdicts) == 1
    assert verdicts[0].after_ms <= 4000


def test_rows_are_judged_by_themselves():
    detector, rows = AnswerDetector(np.zeros(8, ANSWERER)), np.array([6, 1, 3], np.int32)
    for row in (6, 1):
        detector.follow(row, TERMS)
    n = 4 * 8000
    sounds = np.stack([np.resize(each, n) for each in (short_greeting(), long_greeting(), long_greeting())])
    told = [
        (news.row, news.who)
        for at in range(0, n, UNIT)
        for news in detector.hear(rows[:2], sounds[:2, at : at + UNIT])
    ]
    assert sorted(told) == [(1, Who.MACHINE), (6, Who.HUMAN)]


def answering(bench, pcm, **changes):
    """Let a phone say something to a leg of which it is asked who is there."""
    leg = bench.leg("a", answering=TERMS, **changes)
    leg.say(pcm)
    return leg


def test_a_leg_alone_is_judged():
    bench = PlaneBench()
    answering(bench, short_greeting())
    bench.run(4.0)

    (event,) = [event for event in bench.events if isinstance(event, AnswerJudged)]
    assert (event.leg, event.who, event.sign) == ("a", *HUMAN)
    assert 1750 <= event.after_ms <= 2100


def test_a_leg_in_a_call_is_not_relayed_while_it_is_asked_who_is_there():
    bench = PlaneBench()
    leg = answering(bench, long_greeting())
    bench.join("room", leg, bench.leg("b"))
    bench.run(0.5)
    assert leg.statistics.mode == "tick"

    bench.run(8.0)
    assert [type(event) for event in bench.events if isinstance(event, AnswerJudged | BeepHeard)] == [
        AnswerJudged,
        BeepHeard,
    ]
    bench.change(leg, answering=None)
    bench.run(3.0)
    assert leg.statistics.mode == "relay"


def test_a_leg_that_moves_is_judged_by_all_that_it_said():
    bench = PlaneBench()
    answering(bench, long_greeting())
    bench.run(2.0)
    there = Plane(8, SeededIds(2))
    there.restore(bench.plane.snapshot([LegId("a")]), bench.now)
    bench.crash(there, down_s=0.0)
    bench.run(2.0)

    (event,) = [event for event in bench.events if isinstance(event, AnswerJudged)]
    assert (event.who, event.sign) == MACHINE
    assert event.after_ms < 3500


def test_the_question_and_the_answers_travel():
    state = PlaneBench().leg("a", answering=replace(TERMS, silence_after_ms=900)).state
    judged, beeped = AnswerJudged(LegId("a"), *HUMAN, 1500), BeepHeard(LegId("a"), None)

    assert row_from_map(row_as_map(state)) == state
    assert event_from_map(event_as_map(judged)) == judged
    assert event_from_map(event_as_map(beeped)) == beeped


def test_what_can_be_configured_are_the_terms():
    assert AnsweringTerms(**Answering().model_dump()) == TERMS
    assert Answering().model_dump() == asdict(TERMS)
