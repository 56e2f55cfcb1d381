"""Configuration: which numbers belong to an application, and where its callbacks go."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.api.wire.base import AnyCase, Asked, Said
from gateway.switch.records import Application, Number

__all__ = [
    "AssignNumbersRequest",
    "CallbacksRequest",
    "CallbacksResponse",
    "NumberResponse",
    "NumbersResponse",
    "UnassignNumberRequest",
]

Capability = Annotated[Literal["voice", "sms"] | None, AnyCase]
"""None = voice."""
PhoneNumber = Annotated[str, Field(min_length=1, max_length=40)]
Url = Annotated[str, Field(max_length=2048)]


class NumberResponse(Said):
    """A number; `applicationkey` is left out while it belongs to nobody."""

    number: str
    applicationkey: str | None = Field(default=None, exclude_if=lambda value: value is None)
    capability: str

    @classmethod
    def of(cls, number: Number) -> NumberResponse:
        """Return what a record says."""
        return cls(number=number.number, applicationkey=number.application, capability=number.capability)


class NumbersResponse(Said):
    """All numbers of the application that asks, and those that are free."""

    numbers: list[NumberResponse]


class AssignNumbersRequest(Asked):
    """Numbers that shall belong to an application."""

    numbers: list[PhoneNumber] = Field(min_length=1, max_length=1000)
    applicationkey: str | None = None
    """Empty = whoever asks."""
    capability: Capability = None

    @property
    def kind(self) -> str:
        """Return the capability that is meant."""
        return self.capability or "voice"


class UnassignNumberRequest(Asked):
    """A number that shall belong to nobody."""

    number: PhoneNumber
    applicationkey: str | None = None
    capability: Capability = None

    @property
    def kind(self) -> str:
        """Return the capability that is meant."""
        return self.capability or "voice"


class UrlsResponse(Said):
    """Where callbacks go, and where when that fails."""

    primary: str
    fallback: str | None = Field(default=None, exclude_if=lambda value: value is None)


class CallbacksResponse(Said):
    """An application's callback URLs."""

    url: UrlsResponse

    @classmethod
    def of(cls, application: Application) -> CallbacksResponse:
        """Return what a record says; an application without callbacks has an empty primary."""
        return cls(url=UrlsResponse(primary=application.callback or "", fallback=application.fallback))


class UrlsRequest(Asked):
    """The URLs to use; an empty one or null = none."""

    primary: Url | None = None
    fallback: Url | None = None


class CallbacksRequest(Asked):
    """An application's new callback URLs."""

    url: UrlsRequest
