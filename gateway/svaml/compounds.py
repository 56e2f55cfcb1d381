"""The kinds of value that have parts: prompts, identities, keys with values, what an option of a menu leads to.

They follow the same rules as the simple ones (`gateway.svaml.kinds`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, Protocol, TypeVar

from gateway.svaml.kinds import AsItIs, Choice, Text, text_of
from gateway.svaml.load import MOST_DEPTH, members_of
from gateway.svaml.model import INCOMING, PRIVATE, MenuGoTo, MenuReturn, MenuTarget, Pairs
from gateway.svaml.place import Place, shown
from gateway.svaml.prompts import BadPrompt, read_prompt, read_prompts
from gateway.switch.records import Identity, IdentityType

__all__ = ["CallerId", "Endpoint", "Ids", "KeyValues", "Prompts", "Reader", "Target", "Via"]

S = TypeVar("S")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_LONGEST_PROMPTS: Final = 16_000
_MOST_IDS: Final = 64
_MOST_PAIRS: Final = 64
LONGEST_NUMBER: Final = 64
"""As it may be written, with all that people put between digits."""
_PART: Final = Text(1024, empty=True)
_PRIVATE_HEADER: Final = re.compile(r"(?i:x-)[A-Za-z0-9.!%*_+`'~-]+", re.ASCII)
"""Nobody else's name, and a token (RFC 3261 section 25.1)."""
_ANYTHING: Final = re.compile(r".*", re.DOTALL)
_ADDRESSES: Final[Mapping[IdentityType, tuple[re.Pattern[str], str]]] = {
    IdentityType.SIP: (re.compile(r"[^\s<>\"]+"), "write user@host"),
    IdentityType.WEBSOCKET: (re.compile(r"wss?://[^\s<>\"]+", re.IGNORECASE), "write wss://host/path"),
}
_SCHEME: Final = re.compile(r"\Asip:", re.IGNORECASE)
_TARGET: Final = re.compile(r"\s*(menu|return)\s*(?:\((.*)\))?\s*", re.IGNORECASE | re.DOTALL)


class Reader(Protocol[T_co]):
    """A kind that is only read."""

    @property
    def said(self) -> str: ...

    def read(self, value: object, place: Place) -> T_co | None: ...


@dataclass(frozen=True, slots=True)
class Via(Generic[S, T]):
    """Another way to write a value: read as `reader` does, then `into` makes it what the field wants."""

    reader: Reader[S]
    into: Callable[[S], T]

    @property
    def said(self) -> str:
        return self.reader.said

    def read(self, value: object, place: Place) -> T | None:
        read = self.reader.read(value, place)
        return None if read is None else self.into(read)


@dataclass(frozen=True, slots=True)
class CallerId(AsItIs):
    """A number or name to show, or one of the two special words, which have one spelling here."""

    said: str = f"E.164, `{PRIVATE}` or `{INCOMING}`"

    def read(self, value: object, place: Place) -> str | None:
        text = Text(128).read(value, place)
        return text.lower() if text and text.lower() in {PRIVATE, INCOMING} else text


@dataclass(frozen=True, slots=True)
class Prompts(AsItIs):
    """Prompts in one string, separated by `;`: kept as they are, once they have been understood."""

    said: str = "prompts, separated by `;`"

    def read(self, value: object, place: Place) -> str | None:
        text = Text(_LONGEST_PROMPTS, lines=True).read(value, place)
        try:
            return text.strip() if text and read_prompts(text) else None
        except BadPrompt as error:
            raise place.wrong(str(error)) from None


@dataclass(frozen=True, slots=True)
class Ids:
    """Prompts in an array, one each; arrays in it are flattened, and one string is an array of one."""

    said: str = f"array of prompts, {_MOST_IDS} at most"

    def read(self, value: object, place: Place) -> tuple[str, ...] | None:
        ids = tuple(islice(self._ids(value, place), _MOST_IDS + 1))
        if len(ids) > _MOST_IDS:
            raise place.wrong(f"has more than {_MOST_IDS} prompts")
        if not ids:
            place.remark("plays nothing")
        return ids

    def write(self, value: tuple[str, ...]) -> object:
        return list(value)

    def _ids(self, value: object, place: Place, depth: int = 0) -> Iterator[str]:
        if depth > MOST_DEPTH:
            raise place.wrong("is nested too deeply")
        if isinstance(value, list | tuple):
            for index, each in enumerate(value):
                yield from self._ids(each, place.at(index), depth + 1)
        elif value is not None and (prompt := self._prompt(value, place)):
            yield prompt

    def _prompt(self, value: object, place: Place) -> str:
        text = Text(_LONGEST_PROMPTS, lines=True).read(value, place) or ""
        try:
            return text.strip() if read_prompt(text) else ""
        except BadPrompt as error:
            raise place.wrong(str(error)) from None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An identity of one of `types`, in any case; the first is meant where none is given, or for a mere string.

    One without an endpoint is none: an old client sends it for "whoever was dialled".
    """

    types: tuple[IdentityType, ...]

    @property
    def said(self) -> str:
        return "identity of type " + " or ".join(f"`{each}`" for each in self.types)

    def read(self, value: object, place: Place) -> Identity | None:
        if isinstance(value, str):
            return self._identity(self.types[0], value, place)
        members = members_of(value, place)
        written, kind = members.get("type", ("type", self.types[0].value))
        type_ = Choice.of(IdentityType).read(kind, place.at(written)) or self.types[0]
        if type_ not in self.types:
            cure = f"write {' or '.join(self.types)}"
            raise place.at(written).wrong(f"{shown(kind)} is not possible here", cure=cure)
        written, endpoint = members.get("endpoint", ("endpoint", ""))
        return self._identity(type_, endpoint, place.at(written))

    def write(self, value: Identity) -> object:
        return {"type": value.type.value, "endpoint": value.endpoint}

    def _identity(self, type_: IdentityType, endpoint: object, place: Place) -> Identity | None:
        most = LONGEST_NUMBER if type_ in (IdentityType.NUMBER, IdentityType.DID) else 1024
        text = Text(most).read(endpoint, place) or ""
        if type_ is IdentityType.SIP:
            text = _SCHEME.sub("", text, count=1)
        if not text:
            return None
        form, cure = _ADDRESSES.get(type_, (_ANYTHING, ""))
        if not form.fullmatch(text):
            raise place.wrong(f"{shown(text)} is no address", cure=cure)
        return Identity(type_, text)


@dataclass(frozen=True, slots=True)
class KeyValues:
    """`[{"key": ..., "value": ...}, ...]`, or an object of such keys and values."""

    most_bytes: int | None = None
    """All keys and values as UTF-8."""
    each: Text = _PART
    private: bool = False
    """They become headers of SIP, and only those named `X-...` do: the others are remarked."""
    last_wins: bool = False
    """A key that comes again replaces the earlier one."""

    @property
    def said(self) -> str:
        size = f"{self.most_bytes} bytes in all" if self.most_bytes else f"each {self.each.said}"
        return f"array of key and value, {size}"

    def read(self, value: object, place: Place) -> Pairs | None:
        pairs = tuple(islice(self._pairs(value, place), _MOST_PAIRS + 1))
        if len(pairs) > _MOST_PAIRS:
            raise place.wrong(f"has more than {_MOST_PAIRS} entries")
        size = sum(len(part.encode()) for pair in pairs for part in pair)
        if self.most_bytes is not None and size > self.most_bytes:
            raise place.wrong(f"has {size} bytes, {self.most_bytes} is the most")
        return tuple(dict(pairs).items()) if self.last_wins else pairs

    def write(self, value: Pairs) -> object:
        return [{"key": key, "value": given} for key, given in value]

    def _pairs(self, value: object, place: Place) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping):
            for key, given in members_of(value, place).values():
                yield self._key(key, place.at(key)), self._value(given, place.at(key))
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                yield self._pair(item, place.at(index))
        else:
            raise place.wrong(f"{shown(value)} is no array", cure='write [{"key": ..., "value": ...}]')

    def _pair(self, item: object, place: Place) -> tuple[str, str]:
        members = members_of(item, place)
        if "key" not in members:
            raise place.wrong("key is missing", missing=True)
        at_key, key = members["key"]
        at_value, given = members.get("value", ("value", ""))
        return self._key(key, place.at(at_key)), self._value(given, place.at(at_value))

    def _key(self, key: object, place: Place) -> str:
        name = self.each.read(key, place)
        if not name:
            raise place.wrong("is empty", missing=True)
        if self.private and not _PRIVATE_HEADER.fullmatch(name):
            place.remark(f"{shown(name)} has no effect: private headers of SIP are named X-...")
        return name

    def _value(self, value: object, place: Place) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        return self.each.read(value, place) or ""


@dataclass(frozen=True, slots=True)
class Target:
    """What a key of a menu does: `menu(id)` or `return(value)`."""

    said: str = "`menu(id)` or `return(value)`"

    def read(self, value: object, place: Place) -> MenuTarget | None:
        match = _TARGET.fullmatch(text_of(value, place))
        if match is None:
            raise place.wrong(f"{shown(value)} leads nowhere", cure="write menu(id) or return(value)")
        verb, given = match[1].lower(), (match[2] or "").strip()
        if verb == "return":
            return MenuReturn(given)
        if not given:
            raise place.wrong("names no menu", cure="write menu(id)")
        return MenuGoTo(given)

    def write(self, value: MenuTarget) -> object:
        match value:
            case MenuGoTo(menu):
                return f"menu({menu})"
            case MenuReturn(given):
                return f"return({given})"
