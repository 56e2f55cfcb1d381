"""`/openapi.json` is true to the wire: what it lists is there, and what is there it lists."""

import pytest

from gateway.testing.api_client import exchange

OPERATIONS = {
    ("post", "/calling/v1/callouts"),
    ("get", "/calling/v1/calls/id/{callId}"),
    ("patch", "/calling/v1/calls/id/{callId}"),
    ("patch", "/calling/v1/calls/id/{callId}/leg/{callLeg}"),
    ("post", "/calling/v1/callreport/callId/{callId}"),
    ("get", "/calling/v1/conferences/id/{conferenceId}"),
    ("delete", "/calling/v1/conferences/id/{conferenceId}"),
    ("patch", "/calling/v1/conferences/id/{conferenceId}/{callId}"),
    ("delete", "/calling/v1/conferences/id/{conferenceId}/{callId}"),
    ("get", "/v1/configuration/numbers"),
    ("post", "/v1/configuration/numbers"),
    ("delete", "/v1/configuration/numbers"),
    ("get", "/v1/configuration/callbacks/applications/{applicationkey}"),
    ("post", "/v1/configuration/callbacks/applications/{applicationkey}"),
    ("get", "/v1/calling/query/number/{number}"),
    ("get", "/calling/v1/recording"),
    ("get", "/calling/v1/recording/{key}"),
    ("delete", "/calling/v1/recording/{key}"),
    ("get", "/v1/users/{type}/{endpoint}/calls"),
    ("get", "/v1/users/{type}/{endpoint}/calls/{domain}"),
    ("get", "/v1/counters/{id}"),
    ("get", "/v1/services/{id}"),
    ("get", "/v1/timestamp"),
    ("get", "/v1/cdr/{layout}"),
}


@pytest.fixture
def document(world):
    answer = exchange(world.api.app, "GET", "/openapi.json", {})
    assert answer.status == 200
    return answer.json


def test_it_lists_every_operation_once_and_no_other(document):
    listed = {(method, path) for path, methods in document["paths"].items() for method in methods}

    assert listed == OPERATIONS


def test_every_operation_may_be_refused_by_the_same_document(document):
    for methods in document["paths"].values():
        for operation in methods.values():
            (content,) = operation["responses"]["default"]["content"].values()
            assert content["schema"] == {"$ref": "#/components/schemas/FaultResponse"}


def test_no_operation_promises_what_fastapi_would_say_by_itself(document):
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_both_ways_to_authenticate_are_told(document):
    assert set(document["components"]["securitySchemes"]) == {"basic", "signed"}
    assert document["security"] == [{"basic": []}, {"signed": []}]
    assert document["paths"]["/v1/timestamp"]["get"]["security"] == []


def test_a_fault_is_described_as_it_is(document):
    fault = document["components"]["schemas"]["FaultResponse"]

    assert fault["properties"]["errorCode"]["type"] == "integer"
    assert set(fault["required"]) == {"errorCode", "message", "reference", "status"}


def test_every_ref_leads_somewhere(document):
    def refs(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if "$ref" in node else [])
            node = list(node.values())
        if isinstance(node, list):
            for each in node:
                yield from refs(each)

    known = document["components"]["schemas"]

    assert {ref.rpartition("/")[2] for ref in refs(document)} <= set(known)
