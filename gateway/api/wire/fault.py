"""The document of every refusal, as `/openapi.json` shows it; `gateway.api.faults` writes it."""

from __future__ import annotations

from pydantic import Field

from gateway.api.wire.base import Said

__all__ = ["FaultResponse"]


class FaultResponse(Said):
    """Why a request was refused (section 3 of the wire format)."""

    error_code: int = Field(ge=40000, le=59999)
    """Five digits; the first three are the HTTP status."""
    message: str
    reference: str
    """What the line in our log carries."""
    status: str
    """E.g. `404 Not Found`."""
