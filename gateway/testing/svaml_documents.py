"""Documents by the thousand: hypothesis strategies made of the table of SVAML's fields.

`documents` gives values that can be written and read back; `jsonish` gives anything that JSON can hold; `damaged` gives
the JSON of a document with one thing in it replaced, which goes deeper into a parser than mere noise does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from gateway.svaml.compounds import CallerId, Endpoint, Ids, KeyValues, Prompts, Target
from gateway.svaml.fields import ACTIONS, INSTRUCTIONS, MENU
from gateway.svaml.kinds import COUNTRIES, Among, Choice, Country, Flag, Keys, Text, Whole
from gateway.svaml.model import Document, Menu, MenuGoTo, MenuOption, MenuReturn, RunMenu
from gateway.svaml.shapes import Many, Shape
from gateway.svaml.write import dump
from gateway.switch.records import Identity, IdentityType

__all__ = ["damaged", "documents", "jsonish", "of_shape"]

_PROMPTS: Final = (
    "welcome",
    "#tts[Hello; you]",
    "#ssml[<speak>a;b</speak>]",
    "#href[https://a.example/x.wav]",
    "[X]",
)
_ENDPOINTS: Final = {IdentityType.SIP: "alice@192.0.2.1:5061", IdentityType.WEBSOCKET: "wss://a.example/x"}
_PRINTABLE: Final = st.characters(exclude_categories=("Cs", "Cc"))
_ASCII: Final = st.characters(min_codepoint=32, max_codepoint=126)


def documents() -> SearchStrategy[Document]:
    """Return documents of any instructions and any action."""
    instructions = st.one_of([of_shape(shape) for shape in INSTRUCTIONS.shapes])
    actions = st.one_of([of_shape(shape) for shape in ACTIONS.shapes])
    return st.builds(Document, st.lists(instructions, max_size=4).map(tuple), actions)


def jsonish() -> SearchStrategy[object]:
    """Return anything that JSON can hold, and some of what it cannot."""
    leaves: SearchStrategy[object] = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)
    )
    keys = st.one_of(
        st.text(max_size=4),
        st.sampled_from(["name", "action", "Action", "instructions", "ids", "menus", "destination", "type"]),
    )
    return st.recursive(
        leaves, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4))
    )


@st.composite
def damaged(draw: st.DrawFn) -> object:
    """Return the JSON of a document in which one value, however deep, is something else."""
    document = dump(draw(documents()))
    holder, key = draw(st.sampled_from(list(_places(document))))
    holder[key] = draw(jsonish())
    return document


def of_shape(shape: Shape[Any]) -> SearchStrategy[Any]:
    """Return values of one instruction, action or object."""
    if shape.build is RunMenu:
        return _menus()
    required = {row.name: _of_kind(row.kind) for row in shape.fields if row.required}
    optional = {row.name: _of_kind(row.kind) for row in shape.fields if not row.required}
    return st.fixed_dictionaries(required, optional=optional).map(lambda facts: shape.build(**facts))


def _of_kind(kind: object) -> SearchStrategy[Any]:
    match kind:
        case Text(ascii=True, most=most):
            return st.text(_ASCII, min_size=1, max_size=min(most, 8)).map(str.strip).filter(bool)
        case Text(most=most):
            return st.text(_PRINTABLE, min_size=1, max_size=min(most, 8)).map(str.strip).filter(bool)
        case Flag():
            return st.booleans()
        case Whole(least=least, most=most):
            return st.integers(least, most)
        case Among(values=numbers):
            return st.sampled_from(numbers)
        case Choice(values=words):
            return st.sampled_from(list(words.values()))
        case Country():
            return st.sampled_from(COUNTRIES)
        case Keys(most=1):
            return st.sampled_from("0123456789*#")
        case Keys():
            return st.text("0123456789*#w", min_size=1, max_size=8)
        case _:
            return _of_compound(kind)


def _of_compound(kind: object) -> SearchStrategy[Any]:
    match kind:
        case Prompts():
            return st.lists(st.sampled_from(_PROMPTS), min_size=1, max_size=3).map(";".join)
        case Ids():
            return st.lists(st.sampled_from(_PROMPTS), max_size=3).map(tuple)
        case CallerId():
            return st.sampled_from(["+46700000001", "private", "incoming", "Tandem <+46700000001>"])
        case Endpoint(types=types):
            return st.sampled_from(types).map(lambda type_: Identity(type_, _ENDPOINTS.get(type_, "someone")))
        case KeyValues(each=each):
            pair = st.tuples(st.text("abcXYZ-", min_size=1, max_size=5), _of_kind(each))
            return st.lists(pair, max_size=3, unique_by=lambda given: given[0]).map(tuple)
        case Target():
            return st.text("ab(1) ", max_size=4).map(str.strip).map(MenuReturn)
        case Many(shape=shape):
            return st.lists(of_shape(shape), max_size=3).map(tuple)
        case Shape():
            return of_shape(kind)
        case _:
            raise AssertionError(f"no values of {kind}")


@st.composite
def _menus(draw: st.DrawFn) -> RunMenu:
    """Return menus whose options lead to menus that there are."""
    ids = draw(st.lists(st.text("abc1", min_size=1, max_size=4), min_size=1, max_size=3, unique=True))
    menus = tuple(_led(draw, draw(of_shape(MENU)), id_, ids) for id_ in ids)
    return RunMenu(menus, draw(st.sampled_from(ids)), draw(st.booleans()), enable_voice=draw(st.booleans()))


def _led(draw: st.DrawFn, menu: Menu, id_: str, ids: list[str]) -> Menu:
    """Return a menu with an id and with one option that leads to a menu."""
    option = MenuOption(MenuGoTo(draw(st.sampled_from(ids))), draw(st.sampled_from("0123456789*#")))
    return replace(menu, id=id_, options=(*menu.options, option))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:  # JSON: lists by index, objects by key
    """Yield every member and item of a document: what holds it, and its key or index."""
    inner = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for key, held in inner:
        yield value, key
        yield from _places(held)
