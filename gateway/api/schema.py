"""What `/openapi.json` says beyond the handlers' types: who may ask, how refusals look, bodies read elsewhere.

SVAML and callouts are parsed by `gateway.svaml`, which is more tolerant than a schema can say; what is written here
is what a client should send, and everything that fits it is understood.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.api.paths import ALIASES
from gateway.api.wire import FaultResponse, RecordsResponse

__all__ = ["CALLOUT", "REFUSALS", "UNPROTECTED", "cdr_answers", "describe", "json_body"]

Schema = dict[str, Any]

REFUSALS: Final[dict[int | str, Schema]] = {
    "default": {"model": FaultResponse, "description": "Refused; `errorCode` says why."}
}
UNPROTECTED: Final[Schema] = {"security": []}
"""For what everybody may ask."""

_SECURITY: Final[Schema] = {
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "Application key and secret as displayed. Can be switched off for an application.",
    },
    "signed": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Application {key}:{signature}`; the signature is base64(HMAC-SHA256(base64decode(secret), "
        "METHOD \\n contentMD5 \\n Content-Type \\n x-timestamp:{timestamp} \\n path)), with an x-timestamp header "
        "of ISO 8601 in UTC.",
    },
}
_NUMBER: Final[Schema] = {"type": "string", "maxLength": 64}
_TEXT: Final[Schema] = {"type": "string", "maxLength": 600}
_DTMF: Final[Schema] = {"type": "string", "pattern": "^[0-9#*w]*$", "maxLength": 64}
_DESTINATION: Final[Schema] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["number", "username", "sip"]},
        "endpoint": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "required": ["type", "endpoint"],
}
_EVERY: Final[Schema] = {
    "cli": _NUMBER,
    "destination": _DESTINATION,
    "dtmf": _DTMF,
    "custom": {"type": "string", "maxLength": 4096},
}
_TOLD: Final[Schema] = {name: {"type": "boolean"} for name in ("enableAce", "enableDice", "enablePie")}
_SPOKEN: Final[Schema] = {
    "domain": {"type": "string", "enum": ["pstn", "mxp"]},
    "locale": {"type": "string", "maxLength": 32},
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


def json_body(description: str, schema: Schema, *, required: bool = True) -> Schema:
    """Return what documents a body of which the handler takes the bytes."""
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"description": description, "required": required, "content": content}}


def _method(name: str, properties: Schema, required: list[str]) -> Schema:
    """Return the schema of a callout of one method."""
    return {
        "title": name,
        "type": "object",
        "properties": {
            "method": {"type": "string", "enum": [name]},
            name: {"type": "object", "properties": properties, "required": required},
        },
        "required": ["method", name],
    }


CALLOUT: Final = json_body(
    "One of the three callouts, under its own name.",
    {
        "oneOf": [
            _method(
                "ttsCallout",
                {
                    **_EVERY,
                    **_TOLD,
                    **_SPOKEN,
                    "text": _TEXT,
                    "prompts": {"type": "string", "maxLength": 4096},
                },
                ["destination"],
            ),
            _method(
                "conferenceCallout",
                {
                    **_EVERY,
                    **_TOLD,
                    **_SPOKEN,
                    **_DURATION,
                    "conferenceId": {"type": "string", "minLength": 1, "maxLength": 64},
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
                ["destination"],
            ),
        ]
    },
)


def cdr_answers() -> dict[int | str, Schema]:
    """Return the two kinds of answer that an export has, beside refusals."""
    return {
        200: {
            "model": RecordsResponse,
            "description": "Call records: a file, or objects with `format=json`.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    }


def describe(app: FastAPI) -> None:
    """Have `/openapi.json` tell everything."""
    aliases = "\n".join(f"- `{prefix}` is `{served}`" for prefix, served in ALIASES)

    def openapi() -> Schema:
        if app.openapi_schema is None:
            document = get_openapi(
                title="Tandem",
                version=app.version,
                description=f"Sinch Voice v1. Older prefixes, with or without a slash at the end:\n\n{aliases}",
                routes=app.routes,
            )
            document["components"]["securitySchemes"] = _SECURITY
            document["security"] = [{"basic": []}, {"signed": []}]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI documents
