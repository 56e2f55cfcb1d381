"""What all documents of the wire have in common.

Clients spell a key as `applicationKey`, `applicationkey` or `application_key`, depending on who generated them from
which year's documents.  A model that reads says each name once, as we write it; the case and the underscores of
what arrives do not matter, and neither do keys that nobody knows.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

from gateway.switch import records

__all__ = ["CURRENCY", "AnyCase", "Asked", "Identity", "Money", "Said"]

CURRENCY: Final = "USD"
"""In which money nothing is paid when nothing says otherwise."""

AnyCase: Final = BeforeValidator(lambda value: value.casefold() if isinstance(value, str) else value)
"""Reads a word of ours that others write with capitals."""


class Said(BaseModel):
    """A document that we write."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Asked(BaseModel):
    """A document that we read, whatever the spelling of its keys."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _spell_as_we_do(cls, document: Any) -> Any:
        if not isinstance(document, dict):
            return document
        names = _spellings(cls)
        spelt = {names.get(_folded(key), key): value for key, value in document.items()}
        if len(spelt) < len(document):
            raise ValueError("a key is given twice, in two spellings")
        return spelt


class Money(Said):
    """An amount: `{"currencyId": "USD", "amount": 0.0368}`."""

    currency_id: str
    amount: float

    @classmethod
    def of(cls, money: records.Money | None) -> Money:
        """Return what a record says; nothing is zero, since the old Python client demands an amount."""
        if money is None:
            return cls(currency_id=CURRENCY, amount=0.0)
        return cls(currency_id=money.currency, amount=float(money.amount))


class Identity(Said):
    """Who takes part: `{"type": "Number", "endpoint": "+46..."}`; the type has a capital, as GetCall always had."""

    type: str
    endpoint: str

    @classmethod
    def of(cls, identity: records.Identity) -> Identity:
        """Return what a record says."""
        return cls(type=identity.type.value.capitalize(), endpoint=identity.endpoint)


@cache
def _spellings(model: type[BaseModel]) -> dict[str, str]:
    """Return a model's keys by what is left of them without case and underscores."""
    return {_folded(field.alias or name): field.alias or name for name, field in model.model_fields.items()}


def _folded(key: object) -> str:
    return str(key).replace("_", "").casefold()
