"""SVAML as a target: documents and callouts as applications write them, and what must hold of any other bytes."""

from __future__ import annotations

import json
from typing import Final

from gateway.svaml.callouts import read_callout
from gateway.svaml.errors import SvamlError
from gateway.svaml.model import Moment
from gateway.svaml.parse import parse
from gateway.svaml.write import dump

__all__ = ["read_svaml", "svaml_corpus"]

_MENU: Final = (
    '{"name":"runMenu","barge":"true","menus":[{"id":"main","mainPrompt":"#tts[1; or 2];x","maxDigits":"4","options":'
    '[{"dtmf":1,"action":"menu(main)"},{"dtmf":"#","action":"return(x)","add":[{"key":"a","value":"b"}]}]}]}'
)
_SIP: Final = (
    '{"name":"ConnectSip","destination":{"type":"sip","endpoint":"a@b.example:5061"},"transport":"tls","moh":"ring",'
    '"callHeaders":[{"key":"X-A","value":"b"}],"indications":false,"tags":[{"key":"a","value":"b"}]}'
)
_PSTN: Final = (
    '{"name":"connectPstn","destination":{"type":"number","endpoint":"+46700000001"},"maxDuration":60,"dtmf":"1w#",'
    '"cli":"private","amd":{"enabled":true,"async":false},"record":true,"recordingOptions":{"format":"wav"}}'
)
_SPOKEN: Final = (
    '[{"name":"playFiles","ids":[["a"],"#href[https://a.example/x]"]},{"name":"say","text":"Hello","locale":"en-US"},'
    '{"name":"setCookie","key":"a","value":1},{"name":"startRecording","options":{"destinationUrl":"s3://a/b"}}]'
)


def svaml_corpus() -> list[bytes]:
    """Make documents, and a callout that carries one."""
    documents = [f'{{"instructions":{_SPOKEN},"action":{action}}}' for action in (_MENU, _SIP, _PSTN)]
    fields = {
        "destination": {"type": "number", "endpoint": "+1"},
        "ice": documents[0],
        "pie": "https://a.example",
    }
    callout = json.dumps({"method": "customCallout", "customCallout": fields})
    return [text.encode() for text in (*documents, callout)]


def read_svaml(data: bytes) -> tuple[int, bytes]:
    """No bytes raise anything but `SvamlError`; what is read is written so that it is read the same."""
    out = b""
    for moment in Moment:
        try:
            document = parse(data, moment=moment).document
        except SvamlError:
            continue
        out = json.dumps(dump(document)).encode()
        assert parse(out, moment=moment).document == document, "it reads its own writing differently"
    try:
        out += repr(read_callout(data, application="a")).encode()
    except SvamlError:
        pass
    return 1, out
