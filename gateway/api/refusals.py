"""From whatever was raised to the document of section 3.

`FAULTS` says which error of the switch, the store and the documents is which fault; the rest is what Starlette (an
unknown path, a method that is not there) and pydantic (a body that is not as it should be) raise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from gateway.api import faults
from gateway.api.faults import Fault
from gateway.errors import GatewayError, LocalError, Overload
from gateway.ids import IdSource
from gateway.svaml.errors import SvamlError
from gateway.switch.admission import TooOften
from gateway.switch.steering import Forbidden, NoCredit, NotManageable, UnknownCall, UnknownConference

__all__ = ["FAULTS", "answer_refusals", "fault_of"]

FAULTS: Final[dict[type[GatewayError], Callable[[GatewayError], Fault]]] = {
    UnknownCall: lambda _: faults.not_found("Call"),
    UnknownConference: lambda _: faults.not_found("Conference"),
    NoCredit: lambda _: faults.no_credit(),
    Forbidden: lambda _: faults.forbidden(),
    NotManageable: lambda error: faults.unusable(str(error)),
    SvamlError: lambda error: faults.unusable(str(error)),
    LocalError: lambda error: faults.invalid(str(error)),
    TooOften: lambda error: faults.too_many(_wait_s(error)),
    Overload: lambda error: faults.unavailable(_wait_s(error)),
}
"""By the error's class; a class that is not here is a fault of ours."""


def _wait_s(error: GatewayError) -> int:
    return error.retry_after_s if isinstance(error, Overload) else 1


def fault_of(error: Exception) -> Fault:
    """Return the fault that an error is.

    Raises:
        Exception: the error itself, if it is a bug and not a refusal.
    """
    match error:
        case Fault():
            return error
        case HTTPException():
            return faults.of_status(error.status_code, error.detail, error.headers)
        case RequestValidationError():
            return faults.of_validation(error.errors())
        case GatewayError():
            for kind in type(error).__mro__:
                if kind in FAULTS:
                    return FAULTS[kind](error)
    raise error


def answer_refusals(app: FastAPI, ids: IdSource, routes: Sequence[APIRoute]) -> None:
    """Have the application answer every refusal by its document.

    ids: where references come from.  routes: all there are; a method that is not there is told which are.
    """

    async def refuse(request: Request, error: Exception) -> JSONResponse:
        fault = fault_of(error)
        headers = fault.headers
        if fault.status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers = {"Allow": _methods(request.scope["path"], routes)}
        return JSONResponse(faults.body_of(fault, ids.token(16)), status_code=fault.status, headers=headers)

    for kind in (GatewayError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, refuse)


def _methods(path: str, routes: Sequence[APIRoute]) -> str:
    """Return the methods of what a path names, as `Allow` lists them (RFC 9110 section 10.2.1).

    `.../conferences/id/a/b` fits a conference and a member: of several templates the longest counts.
    """
    fitting = (route.path for route in routes if route.path_regex.match(path))
    template = max(fitting, key=lambda one: one.count("/"), default=None)
    siblings = (route.methods or () for route in routes if route.path == template)
    return ", ".join(sorted({method for methods in siblings for method in methods}))
