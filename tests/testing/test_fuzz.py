"""The fuzzer finds what was planted, does the same again for the same seed, and starts from what is valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.testing.fuzz.campaign import document, run
from gateway.testing.fuzz.conversations import conversation_corpus, message_corpus, sdp_corpus
from gateway.testing.fuzz.engine import converse
from gateway.testing.fuzz.mutation import Mutator
from gateway.testing.fuzz.parsers import read_believing, read_description, read_message
from gateway.testing.fuzz.targets import TARGETS
from gateway.testing.fuzz.worker import corpus_bytes, corpus_of


def inputs(seed: int, n: int = 300) -> list[bytes]:
    mutator = Mutator(seed, message_corpus())
    return [mutator.next() for _ in range(n)]


def test_the_same_seed_gives_the_same_inputs_and_another_others():
    assert inputs(1) == inputs(1)
    assert inputs(1) != inputs(2)


def test_hardly_an_input_is_a_message_of_the_corpus_and_most_resemble_one():
    assert len(set(inputs(1)) & set(message_corpus())) < 30
    assert sum(b"SIP/2.0" in data for data in inputs(1)) > 200


def test_a_mistake_that_was_planted_in_a_parser_is_found(tmp_path: Path):
    outcome = run("planted-python", seconds=60, keep=tmp_path)

    (crash,) = outcome.crashes
    assert "ValueError" in crash.words
    with pytest.raises(ValueError, match="invalid literal"):
        read_believing(crash.input.read_bytes())


def test_workers_with_the_same_seed_do_the_same_and_say_so_in_json():
    first, second = (run("sdp", seconds=60, seed=7, inputs=200, jobs=2) for _ in range(2))

    assert (first.inputs, first.input_digests, first.digests) == (400, second.input_digests, second.digests)
    assert len(set(first.input_digests)) == 2
    written = json.loads(json.dumps(document(first)))
    assert (written["benchmark"], written["crashes"], written["seed"]) == ("fuzz-sdp", [], 7)
    assert written["machine"]["cpu"]


def test_a_corpus_is_read_as_it_was_written():
    assert list(corpus_of(corpus_bytes([b"", b"a", b"bc" * 999]))) == [b"", b"a", b"bc" * 999]


def test_the_valid_messages_and_descriptions_are_valid():
    assert all(said for _, said in map(read_description, sdp_corpus()[:1]))
    sent = [message for message in message_corpus() if message.strip() and b"~" not in message]
    assert all(said for _, said in map(read_message, sent))


@pytest.mark.parametrize("conversation", conversation_corpus())
def test_a_valid_conversation_ends_in_silence(conversation: bytes):
    messages, said = converse(conversation)

    assert messages >= 4
    assert said


def test_conversations_reach_what_lies_behind_a_dialog():
    said = b"".join(converse(conversation)[1] for conversation in conversation_corpus())
    answered = {line for line in said.split(b"\r\n") if line.startswith(b"SIP/2.0")}
    asked = {line.split()[0] for line in said.split(b"\r\n") if line.endswith(b" SIP/2.0")}

    assert {b"SIP/2.0 200 OK", b"SIP/2.0 180 Ringing", b"SIP/2.0 487 Request Terminated"} <= answered
    assert {b"INVITE", b"ACK", b"BYE", b"CANCEL", b"REGISTER"} <= asked


def test_inputs_of_c_fit_and_each_decoder_has_some():
    for name in ("pcmu", "pcma", "g729", "ilbc", "plane", "srtp"):
        corpus = TARGETS[name].corpus()
        assert len(corpus) >= 9
        assert all(0 < len(data) <= 4096 for data in corpus)


@pytest.mark.slow
def test_a_mistake_that_was_planted_in_a_decoder_is_found(tmp_path: Path):
    """A sanitizer ends the process; the input that it died of is there all the same."""
    (crash,) = run("planted", seconds=60, keep=tmp_path).crashes

    assert "AddressSanitizer" in crash.words
    assert 0 < crash.input.stat().st_size <= 4096


@pytest.mark.slow
@pytest.mark.parametrize("target", ["pcmu", "g729", "ilbc", "plane", "srtp"])
def test_decoders_do_the_same_for_the_same_seed(target: str):
    first, second = (run(target, seconds=120, seed=3, inputs=200) for _ in range(2))

    assert not first.crashes
    assert (first.input_digests, first.digests) == (second.input_digests, second.digests)
    assert first.branches > 50
