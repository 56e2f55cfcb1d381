"""What the API says when it cannot do what it was asked: section 3 of the wire format.

Every refusal, whoever makes it (a handler, the router, the JSON parser, a bug), leaves as the same document:

    {"errorCode": 40400, "message": "Call not found", "reference": "6f0c...", "status": "404 Not Found"}

`errorCode` is a number of five digits whose first three are the HTTP status.  `message` is always there, since the old
Python client reads it unasked; `reference` is what a log line about the same refusal carries.  A handler raises a
`Fault`; the functions at the end turn what Starlette and pydantic raise into the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from gateway.errors import GatewayError

__all__ = [
    "Fault",
    "body_of",
    "forbidden",
    "internal",
    "invalid",
    "malformed",
    "no_credit",
    "not_found",
    "of_status",
    "of_validation",
    "too_many",
    "unauthorised",
    "unavailable",
    "unusable",
]

_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="tandem"'}
_MESSAGE_LENGTH: Final = 300


class Fault(GatewayError):
    """A request that is refused; `code` is section 3's, and its first three digits the HTTP status."""

    def __init__(self, code: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.code // 100


def invalid(message: str) -> Fault:
    """Return the fault of a parameter that is there and wrong (40001)."""
    return Fault(40001, message)


def malformed(message: str) -> Fault:
    """Return the fault of a request that cannot be read or lacks a parameter (40002)."""
    return Fault(40002, message)


def unusable(message: str) -> Fault:
    """Return the fault of SVAML or an application key that makes no sense here (40003)."""
    return Fault(40003, message)


def unauthorised(code: int, message: str) -> Fault:
    """Return one of the faults of `gateway.signing.Refusal`; those of status 401 carry a challenge."""
    return Fault(code, message, headers=_CHALLENGE if code // 100 == HTTPStatus.UNAUTHORIZED else None)


def no_credit() -> Fault:
    """Return the fault of a callout that the balance or the spend cap does not cover (40200)."""
    return Fault(40200, "Not enough credit")


def forbidden(message: str = "Forbidden destination") -> Fault:
    """Return the fault of a destination that the application may not call (40300)."""
    return Fault(40300, message)


def not_found(what: str) -> Fault:
    """Return the fault of a call, conference or recording that is not there (40400)."""
    return Fault(40400, f"{what} not found")


def too_many(retry_after_s: int) -> Fault:
    """Return the fault of an application that asks faster than it may (42900)."""
    return Fault(42900, "Too many requests", headers={"Retry-After": str(max(1, retry_after_s))})


def unavailable(retry_after_s: int) -> Fault:
    """Return the fault of a store that does not answer, or a switch that is full (50300)."""
    return Fault(50300, "Temporarily unavailable", headers={"Retry-After": str(max(1, retry_after_s))})


def internal() -> Fault:
    """Return the fault that is ours (50000)."""
    return Fault(50000, "Internal error")


def of_status(status: int, detail: object, headers: Mapping[str, str] | None = None) -> Fault:
    """Return what the router meant by a bare HTTP status: an unknown path, a method that is not there."""
    message = detail if isinstance(detail, str) and detail else HTTPStatus(status).phrase
    code = 40002 if status == HTTPStatus.BAD_REQUEST else status * 100
    return Fault(code, message, headers=headers)


def of_validation(errors: Sequence[Mapping[str, object]]) -> Fault:
    """Return what is wrong with a request that pydantic refused: the first thing, by its path."""
    if not errors:
        return malformed("Bad request")
    first = errors[0]
    place = first.get("loc", ())
    path = ".".join(str(step) for step in place[1:]) if isinstance(place, tuple) else ""
    reason = str(first.get("msg", "invalid"))[:_MESSAGE_LENGTH]
    if first.get("type") in ("missing", "json_invalid"):
        return malformed(f"Bad request: {path}: {reason}" if path else f"Bad request: {reason}")
    return invalid(f"Invalid parameters: {path}: {reason}" if path else f"Invalid parameters: {reason}")


def body_of(fault: Fault, reference: str) -> dict[str, object]:
    """Return the document that tells of a fault."""
    return {
        "errorCode": fault.code,
        "message": fault.message,
        "reference": reference,
        "status": f"{fault.status} {HTTPStatus(fault.status).phrase}",
    }
