"""The page `docs/svaml.md`, from the tables that run.

`python -m gateway.svaml.page > docs/svaml.md` writes it; a test sees to it that it is current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from gateway.svaml.allowed import ACTIONS_ALLOWED, INSTRUCTIONS_ALLOWED, RECORDING_ACTIONS
from gateway.svaml.callouts import CALLOUTS
from gateway.svaml.fields import (
    ACTIONS,
    AMD,
    CONFERENCE_DTMF,
    INSTRUCTIONS,
    MENU,
    MENU_OPTION,
    RECORDING,
    STREAMING,
    TRANSCRIPTION,
)
from gateway.svaml.load import MOST_BYTES, MOST_DEPTH
from gateway.svaml.model import Moment
from gateway.svaml.prompts import MOST_SPOKEN
from gateway.svaml.shapes import Field, Shape

__all__ = ["fields_table", "main", "moments_table", "page"]

_PARTS: Final[tuple[Shape[Any], ...]] = (
    RECORDING,
    TRANSCRIPTION,
    AMD,
    CONFERENCE_DTMF,
    STREAMING,
    MENU,
    MENU_OPTION,
)
_HEADINGS: Final[Mapping[Moment, str]] = {
    Moment.ICE: "ICE",
    Moment.ACE: "ACE",
    Moment.PIE: "PIE",
    Moment.MANAGE: "request",
    Moment.MANAGE_PARKED: "parked",
    Moment.MANAGE_CONFERENCE: "in a conference",
    Moment.DICE: "DiCE",
}

_HEAD: Final = f"""# SVAML

An application steers a call by documents: it answers the call's events with them, or sends them to the call
(`PATCH /calling/v1/calls/id/...`). A document is JSON, instructions and then one action:

```json
{{"instructions": [{{"name": "say", "text": "Hello"}}], "action": {{"name": "connectConf", "conferenceId": "lobby"}}}}
```

`tandem svaml check FILE` says whether a document can be used, for which events, and if not, what is wrong and where.
The tables below are written by `python -m gateway.svaml.page > docs/svaml.md` from those that the switch goes by.

## How a document is read

- The case of names does not matter, nor do underscores: `callHeaders`, `callheaders` and `call_headers` are one.
- `null` is as good as absent. Unknown fields are ignored. Numbers and booleans may be strings, keys may be numbers.
- An instruction that an event does not support is ignored. An action that it does not support is an error.
- An empty answer to an ACE lets the call go on. Whatever is wrong with the answer to a DiCE is ignored.
- A number above its limit is cut down to it; 0 where there is no 0 is as good as absent. A text that is too long is an
  error, but for tags and details, which are cut off.
- A field given twice, in any spelling, is an error. So is a name that is no instruction or action, more than
  {MOST_BYTES // 1024} KiB, and more than {MOST_DEPTH} levels of nesting.
- Control characters are refused in everything that could become a header.

What is wrong is told to the application as a `callingerror` 40001 with the JSON path and the reason, for example
`$.action.menus[0].options[1].action: no menu has the id sales`.

## What may be said when

"Request" is a request about a call under way.
"""
_PROMPTS: Final = f"""## Prompts

`playFiles` has an array of prompts; a menu, a parked call and a text-to-speech callout have one string of prompts with
`;` between them, where a `;` in brackets separates nothing.

| prompt | what is heard |
| --- | --- |
| `#tts[text]` | the text, spoken; {MOST_SPOKEN} characters at most |
| `#ssml[<speak>...</speak>]` | the text, spoken as SSML says; its tags do not count |
| `#href[https://...]`, `https://...` | the sound that is fetched there |
| `name`, `[name]` | the sound that the operator keeps under that name |

`tts#[text]`, a slip of an old client, is understood. Empty brackets play nothing.
"""
_CALLOUTS: Final = """## Callouts

`POST /calling/v1/callouts` has the name of one of these as `method`, and the object under that name.
"""


def page() -> str:
    """Return the page."""
    parts = [
        _HEAD,
        moments_table("instruction", INSTRUCTIONS_ALLOWED),
        moments_table("action", ACTIONS_ALLOWED),
        f"{_listed(RECORDING_ACTIONS)} may also be the action of a request; the call then continues.\n",
        "## Instructions\n",
        *map(_section, INSTRUCTIONS.shapes),
        "## Actions\n",
        *map(_section, ACTIONS.shapes),
        "## Objects in them\n",
        *map(_section, _PARTS),
        _PROMPTS,
        _CALLOUTS,
        *map(_section, CALLOUTS),
    ]
    return "\n".join(parts)


def moments_table(what: str, table: Mapping[str, frozenset[Moment]]) -> str:
    """Return which names are obeyed at which moments as a Markdown table."""
    lines = [_row([what, *_HEADINGS.values()]), _row(["---"] * (len(_HEADINGS) + 1))]
    for name, moments in table.items():
        lines.append(_row([f"`{name}`", *("yes" if moment in moments else "" for moment in _HEADINGS)]))
    return "\n".join(lines) + "\n"


def fields_table(shape: Shape[Any]) -> str:
    """Return the fields of a shape as a Markdown table."""
    lines = [_row(["field", "value", "default", "also as"]), _row(["---"] * 4)]
    for field in shape.fields:
        default = "required" if field.required else _default(shape, field)
        lines.append(_row([f"`{field.wire}`", field.kind.said, default, _others(shape, field)]))
    return "\n".join(lines) + "\n"


def _section(shape: Shape[Any]) -> str:
    lines = [f"### {shape.wire}\n"]
    lines.append(fields_table(shape) if shape.fields else "No fields.\n")
    if shape.unheeded:
        lines.append(f"Without effect: {_listed(shape.unheeded)}.\n")
    return "\n".join(lines)


def _default(shape: Shape[Any], field: Field) -> str:
    default = shape.defaults[field.name]
    if default is None or default in {"", ()} or isinstance(field.kind, Shape):
        return ""
    return f"`{json.dumps(field.kind.write(default)).strip(chr(34))}`"


def _others(shape: Shape[Any], field: Field) -> str:
    """Return what else a field is called, and what else says the same."""
    other = [f"`{alias}`" for alias in field.aliases]
    other += [f"`{also.wire}`, {also.kind.said}" for also in shape.also if also.name == field.name]
    return "; ".join(other)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page to stdout."""
    sys.stdout.write(page())


if __name__ == "__main__":
    main()
