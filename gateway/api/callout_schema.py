"""The schema of callouts, for `/openapi.json`: what a client should send; everything that fits it is understood.

`gateway.svaml.callouts` reads them, and understands a good deal more: strings for numbers, any case, names of old.
"""

from __future__ import annotations

from typing import Final

from gateway.api.schema import Schema, json_body

__all__ = ["CALLOUT"]

_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
_NUMBER: Final[Schema] = {"type": "string", "maxLength": 64, "pattern": _LINE}
_TEXT: Final[Schema] = {"type": "string", "maxLength": 600, "pattern": _LINE}
_WORDS: Final[Schema] = {**_TEXT, "minLength": 1, "pattern": r"^[^\x00-\x20\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"}
_PROMPTS: Final[Schema] = {
    "type": "string",
    "description": "`;`-separated: names, `#tts[words]`, `#ssml[...]`, `#href[URL]`.",
    "minLength": 1,
    "maxLength": 4096,
}
_DTMF: Final[Schema] = {"type": "string", "pattern": "^[0-9#*w]*$", "maxLength": 64}
_ENDPOINTS: Final = {
    "number": r"^\+[1-9][0-9]{6,14}$",
    "username": r"^[A-Za-z0-9._=-]{1,255}$",
    "sip": r"^[A-Za-z0-9._-]{1,60}@[A-Za-z0-9][A-Za-z0-9-]{0,60}$",
}
_DESTINATION: Final[Schema] = {
    "oneOf": [
        {
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": [kind]},
                "endpoint": {"type": "string", "pattern": pattern},
            },
            "required": ["type", "endpoint"],
        }
        for kind, pattern in _ENDPOINTS.items()
    ]
}
_EVERY: Final[Schema] = {
    "cli": _NUMBER,
    "destination": _DESTINATION,
    "dtmf": _DTMF,
    "custom": {"type": "string", "maxLength": 4096, "pattern": _LINE},
}
_TOLD: Final[Schema] = {name: {"type": "boolean"} for name in ("enableAce", "enableDice", "enablePie")}
_SPOKEN: Final[Schema] = {
    "domain": {"type": "string", "enum": ["pstn", "mxp"]},
    "locale": {"type": "string", "maxLength": 32, "pattern": _LINE},
}
_DURATION: Final[Schema] = {"maxDuration": {"type": "integer", "minimum": 1, "maximum": 14400}}
_CONFERENCE_DTMF: Final[Schema] = {
    "type": "object",
    "properties": {
        "mode": {"type": "string", "enum": ["ignore", "forward", "detect"]},
        "maxDigits": {"type": "integer", "minimum": 1, "maximum": 100},
        "timeoutMills": {"type": "integer", "minimum": 1, "maximum": 60000},
    },
}


def _method(name: str, properties: Schema, required: list[str], **rules: object) -> Schema:
    """Return the schema of a callout of one method."""
    return {
        "title": name,
        "type": "object",
        "properties": {
            "method": {"type": "string", "enum": [name]},
            name: {"type": "object", "properties": properties, "required": required, **rules},
        },
        "required": ["method", name],
    }


CALLOUT: Final = json_body(
    "One of the three callouts, under its own name.",
    {
        "oneOf": [
            _method(
                "ttsCallout",
                {**_EVERY, **_TOLD, **_SPOKEN, "text": _WORDS, "prompts": _PROMPTS},
                ["destination"],
                anyOf=[{"required": ["text"]}, {"required": ["prompts"]}],
            ),
            _method(
                "conferenceCallout",
                {
                    **_EVERY,
                    **_TOLD,
                    **_SPOKEN,
                    **_DURATION,
                    "conferenceId": {**_WORDS, "maxLength": 64},
                    "conferenceDtmfOptions": _CONFERENCE_DTMF,
                    "greeting": _TEXT,
                    "mohClass": {"type": "string", "enum": ["ring", "music1", "music2", "music3"]},
                },
                ["destination", "conferenceId"],
            ),
            _method(
                "customCallout",
                {
                    **_EVERY,
                    **_DURATION,
                    **{
                        event: {"type": "string", "description": "URL or SVAML"}
                        for event in ("ice", "ace", "pie", "dice")
                    },
                },
                [],
            ),
        ]
    },
)
