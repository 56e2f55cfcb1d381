"""What `/openapi.json` says beyond the handlers' types: who may ask, how refusals look, bodies read elsewhere.

Bodies that `gateway.svaml` reads have no model here; `json_body` says what a client should send.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.api.paths import ALIASES
from gateway.api.wire import FaultResponse, RecordsResponse

__all__ = ["REFUSALS", "UNPROTECTED", "Schema", "cdr_answers", "describe", "json_body"]

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


def json_body(description: str, schema: Schema, *, required: bool = True) -> Schema:
    """Return what documents a body of which the handler takes the bytes."""
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"description": description, "required": required, "content": content}}


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
