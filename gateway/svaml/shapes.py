"""The shape of a JSON object: its fields, and what is built from them.

A `Shape` reads an object by its rows and writes it by the same rows, so no field is described twice.  It is itself a
kind of value, and so shapes nest.  A `Family` is shapes told apart by their member `name`: the instructions, the
actions.  The tables are in `gateway.svaml.fields` and `gateway.svaml.callouts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

from gateway.svaml.compounds import Reader
from gateway.svaml.kinds import Kind
from gateway.svaml.load import members_of
from gateway.svaml.names import likely, normal
from gateway.svaml.place import Place, shown

__all__ = ["Also", "Family", "Field", "Many", "Shape"]

T = TypeVar("T")
_NAME: Final = "name"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the wire."""

    wire: str
    """Its name as the documentation of the wire spells it."""
    name: str
    """The attribute that holds it."""
    kind: Kind[Any]  # the rows of one table are of many kinds; each reads what its attribute holds
    aliases: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Also:
    """Another way to give a field, which older clients have: read where the field itself is not given."""

    wire: str
    name: str
    kind: Reader[Any]  # as Field.kind

    aliases: ClassVar[tuple[str, ...]] = ()


def _no_check(value: object, place: Place) -> None:
    """Most fields have nothing to do with each other."""


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """What a JSON object holds, and what it becomes."""

    wire: str
    """Its name: of an action, or of the field that holds such an object."""
    build: Callable[..., T]
    fields: tuple[Field, ...] = ()
    also: tuple[Also, ...] = ()
    unheeded: tuple[str, ...] = ()
    """Fields that clients are known to send and that have no effect here."""
    check: Callable[[T, Place], None] = _no_check
    """Raises SvamlError where fields do not fit each other."""
    _defaults: Mapping[str, object] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_defaults", _defaults_of(self.build))

    @property
    def said(self) -> str:
        return f"object, see {self.wire}"

    @property
    def defaults(self) -> Mapping[str, object]:
        """Attribute -> the value of it that absence means; a required one is not in it."""
        return self._defaults

    def read(self, value: object, place: Place) -> T:
        """Return what the object says.

        Raises:
            SvamlError: it is none, or a field of it is wrong or missing.
        """
        given = members_of(value, place)
        facts = self._facts(given, place)
        for row in self.fields:
            if row.required and row.name not in facts:
                raise place.wrong(f"{row.wire} is missing", missing=True)
        self._remark_unknown(given, place)
        built = self.build(**facts)
        self.check(built, place)
        return built

    def write(self, value: T) -> dict[str, object]:
        """Return the object that is read back as `value`, without what has its default."""
        facts = [(row, getattr(value, row.name)) for row in self.fields]
        return {
            row.wire: row.kind.write(fact)
            for row, fact in facts
            if row.required or fact != self._defaults[row.name]
        }

    def _facts(self, given: dict[str, tuple[str, object]], place: Place) -> dict[str, object]:
        """Take the members that are fields out of `given`, and return what they say."""
        facts: dict[str, object] = {}
        rows: tuple[Field | Also, ...] = (*self.fields, *self.also)
        for row in rows:
            for spelling in (row.wire, *row.aliases):
                if (member := given.pop(normal(spelling), None)) is None:
                    continue
                key, raw = member
                if row.name in facts:
                    place.at(key).remark("is not needed, the same is said already")
                elif (fact := row.kind.read(raw, place.at(key))) is not None:
                    facts[row.name] = fact
        return facts

    def _remark_unknown(self, given: Mapping[str, tuple[str, object]], place: Place) -> None:
        unheeded = {normal(each) for each in self.unheeded}
        known = [row.wire for row in self.fields]
        for name, (key, _) in given.items():
            if name in unheeded:
                place.at(key).remark("has no effect here")
            elif name != _NAME:
                place.at(key).remark("is not known and has no effect", mistyped=key, known=known)


@dataclass(frozen=True, slots=True)
class Many(Generic[T]):
    """An array of objects of one shape."""

    shape: Shape[T]
    most: int

    @property
    def said(self) -> str:
        return f"array of objects, {self.most} at most, see {self.shape.wire}"

    def read(self, value: object, place: Place) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise place.wrong(f"{shown(value)} is no array", cure="write [ ... ]")
        if len(value) > self.most:
            raise place.wrong(f"has {len(value)} entries, {self.most} is the most")
        return tuple(self.shape.read(each, place.at(index)) for index, each in enumerate(value))

    def write(self, value: tuple[T, ...]) -> object:
        return [self.shape.write(each) for each in value]


@dataclass(frozen=True, slots=True)
class Family(Generic[T]):
    """Shapes that are told apart by their member `name`."""

    said: str
    """What a member of it is called: `action`."""
    shapes: tuple[Shape[Any], ...]  # each builds one class of the union T

    def shape_of(self, value: object, place: Place) -> Shape[T]:
        """Return the shape whose name an object has.

        Raises:
            SvamlError: it is no object, or has no name or one that is not known.
        """
        members = members_of(value, place)
        if _NAME not in members:
            raise place.wrong("name is missing", cure=f"say which {self.said} it is", missing=True)
        key, name = members[_NAME]
        if isinstance(name, str):
            for shape in self.shapes:
                if normal(shape.wire) == normal(name.strip()):
                    return shape
        cure = likely(str(name), [shape.wire for shape in self.shapes])
        raise place.at(key).wrong(f"{shown(name)} is no {self.said}", cure=cure)

    def write(self, value: T) -> dict[str, object]:
        """Return the object that is read back as `value`."""
        shape = next(shape for shape in self.shapes if shape.build is type(value))
        return {_NAME: shape.wire, **shape.write(value)}


def _defaults_of(build: Callable[..., object]) -> Mapping[str, object]:
    """Return the defaults of a dataclass, by attribute."""
    assert is_dataclass(build)  # as every table has it
    return {each.name: each.default for each in fields(build) if each.default is not MISSING}
