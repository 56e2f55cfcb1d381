"""What is written is read back as the same."""

import json

import pytest
from hypothesis import given, settings

from gateway.svaml.allowed import ACTIONS_ALLOWED, INSTRUCTIONS_ALLOWED
from gateway.svaml.fields import ACTIONS, INSTRUCTIONS
from gateway.svaml.load import load
from gateway.svaml.model import ConnectPstn, Document, Hangup, Moment, SendDtmf
from gateway.svaml.parse import parse
from gateway.svaml.place import Place
from gateway.svaml.write import dump
from gateway.testing.svaml_documents import documents


def read_back(document):
    """Read every part of a document by itself: no one moment allows all that a document can say."""
    written, place = load(json.dumps(dump(document))), Place()
    instructions = [
        INSTRUCTIONS.shape_of(each, place).read(each, place.at("instructions").at(index))
        for index, each in enumerate(written["instructions"])
    ]
    return Document(
        tuple(instructions), ACTIONS.shape_of(written["action"], place).read(written["action"], place)
    )


@settings(max_examples=200)
@given(documents())
def test_a_document_that_is_written_is_read_back_the_same(document):
    assert read_back(document) == document


@settings(max_examples=100)
@given(documents())
def test_a_document_that_is_parsed_and_written_is_parsed_the_same(document):
    for moment in Moment:
        if moment not in ACTIONS_ALLOWED[dump(document)["action"]["name"]]:
            continue
        once = parse(dump(document), moment=moment).document

        assert parse(json.dumps(dump(once)), moment=moment).document == once
        assert all(moment in INSTRUCTIONS_ALLOWED[each["name"]] for each in dump(once)["instructions"])


@pytest.mark.parametrize(
    ("document", "json_"),
    [
        (Document((), Hangup()), {"instructions": [], "action": {"name": "hangup"}}),
        (
            Document((SendDtmf("1"),), ConnectPstn("+46700000001", record=True, tags=(("a", "b"),))),
            {
                "instructions": [{"name": "sendDtmf", "value": "1"}],
                "action": {
                    "name": "connectPstn",
                    "number": "+46700000001",
                    "record": True,
                    "tags": [{"key": "a", "value": "b"}],
                },
            },
        ),
    ],
)
def test_what_has_its_default_is_not_written(document, json_):
    assert dump(document) == json_
