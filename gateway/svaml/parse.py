"""Read an SVAML document: tolerantly where clients are known to differ, strictly where a call would go astray.

Tolerated: any case of names, unknown fields, `null` for absent, numbers and booleans as strings, nested `ids`, an empty
answer where one has a meaning (an answered call goes on).  Ignored, and remarked: instructions that the moment does not
support, values that have no effect.  An error: what is not JSON, an unknown instruction or action, an action that the
moment does not support, a required field that is missing, a value that cannot be what its field wants.  Nothing but
`SvamlError` is ever raised, whatever arrives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.svaml.allowed import ACTIONS_ALLOWED, INSTRUCTIONS_ALLOWED, RECORDING_ACTIONS, allowed_names
from gateway.svaml.errors import Remark, SvamlError
from gateway.svaml.fields import ACTIONS, INSTRUCTIONS
from gateway.svaml.load import load, members_of
from gateway.svaml.model import Action, Continue, Document, Hangup, Instruction, Moment
from gateway.svaml.names import normal
from gateway.svaml.place import Place, shown

__all__ = ["Parsed", "Remark", "SvamlError", "parse"]

_MOST_INSTRUCTIONS: Final = 64
_WITHOUT_ACTION: Final[Mapping[Moment, Action]] = {Moment.ACE: Continue(), Moment.DICE: Hangup()}
"""What a document without an action means, where it means anything."""
_SAID: Final[Mapping[Moment, str]] = {
    Moment.ICE: "the answer to an ICE",
    Moment.ACE: "the answer to an ACE",
    Moment.PIE: "the answer to a PIE",
    Moment.DICE: "the answer to a DiCE",
    Moment.MANAGE: "a request about a call",
    Moment.MANAGE_PARKED: "a request about a parked call",
    Moment.MANAGE_CONFERENCE: "a request about a call in a conference",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document that can be obeyed, and what of it will not be."""

    document: Document
    ignored: tuple[Remark, ...] = ()


def parse(data: bytes | str | Mapping[str, object], *, moment: Moment) -> Parsed:
    """Return what a document says at a moment.

    data: JSON, or the object that it holds.

    Raises:
        SvamlError: it cannot be obeyed; the error says where, why, and what would do.
    """
    place = Place()
    value = load(data) if isinstance(data, bytes | str) else data
    members = {} if value is None else members_of(value, place)
    instructions = list(_instructions(members.pop("instructions", None), moment, place))
    further, action = _action(members.pop("action", None), moment, place)
    for key, _ in members.values():
        place.at(key).remark("is not known and has no effect", mistyped=key, known=("instructions", "action"))
    return Parsed(Document((*instructions, *further), action), tuple(place.remarks))


def _instructions(member: tuple[str, object] | None, moment: Moment, place: Place) -> Iterator[Instruction]:
    """Read the instructions that the moment supports."""
    if member is None:
        return
    key, listed = member
    here = place.at(key)
    if not isinstance(listed, list | tuple):
        raise here.wrong(f"{shown(listed)} is no array", cure="write [ ... ]")
    if len(listed) > _MOST_INSTRUCTIONS:
        raise here.wrong(f"has {len(listed)} instructions, {_MOST_INSTRUCTIONS} is the most")
    read = _last_instruction if moment is Moment.DICE else _instruction
    for index, value in enumerate(listed):
        if value is not None and (instruction := read(value, moment, here.at(index))):
            yield instruction


def _instruction(value: object, moment: Moment, place: Place) -> Instruction | None:
    """Read one instruction; None if it is ignored."""
    shape = INSTRUCTIONS.shape_of(value, place)
    if moment in INSTRUCTIONS_ALLOWED[shape.wire]:
        return shape.read(value, place)
    place.remark(f"{shape.wire} has no effect in {_SAID[moment]}")
    return None


def _last_instruction(value: object, moment: Moment, place: Place) -> Instruction | None:
    """Read one instruction about a call that is over: nothing that is wrong with it can do harm."""
    try:
        return _instruction(value, moment, place)
    except SvamlError as error:
        place.remark(f"is ignored: {error.reason}")
        return None


def _action(
    member: tuple[str, object] | None, moment: Moment, place: Place
) -> tuple[tuple[Instruction, ...], Action]:
    """Read the action; with it, the instruction that was written as one."""
    if member is None:
        if moment not in _WITHOUT_ACTION:
            cure = f"{_SAID[moment]} needs one of {', '.join(allowed_names(ACTIONS_ALLOWED, moment))}"
            raise place.wrong("action is missing", cure=cure, missing=True)
        return (), _WITHOUT_ACTION[moment]
    key, value = member
    here = place.at(key)
    if moment is Moment.DICE:
        return (), _last_action(value, here)
    if recording := _recording(value, moment, here):
        return (recording,), Continue()
    shape = ACTIONS.shape_of(value, here)
    if moment not in ACTIONS_ALLOWED[shape.wire]:
        possible = ", ".join(allowed_names(ACTIONS_ALLOWED, moment))
        raise here.wrong(f"{shape.wire} is not possible in {_SAID[moment]}", cure=f"there are {possible}")
    return (), shape.read(value, here)


def _last_action(value: object, place: Place) -> Action:
    """Return the only thing that can become of a call that is over."""
    name = members_of(value, place).get("name", ("name", ""))[1] if isinstance(value, Mapping) else value
    if not isinstance(name, str) or normal(name.strip()) != "hangup":
        place.remark("has no effect, the call is over")
    return Hangup()


def _recording(value: object, moment: Moment, place: Place) -> Instruction | None:
    """Return the instruction that older documents write as an action, if it is one."""
    name = members_of(value, place).get("name", ("name", None))[1]
    if not isinstance(name, str):
        return None
    for known, moments in RECORDING_ACTIONS.items():
        if normal(name.strip()) == normal(known) and moment in moments:
            return INSTRUCTIONS.shape_of(value, place).read(value, place)
    return None
