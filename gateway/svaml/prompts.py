"""The grammar of prompts: what is played or spoken to somebody.

A prompt is `#tts[text]`, `#ssml[<speak>...</speak>]`, `#href[url]`, a bare http(s) URL, or else the id of a file that
the operator has put in place, which some clients wrap as `[id]`.  Menus, parked calls and text-to-speech callouts give
several in one string, separated by `;`; a `;` inside brackets separates nothing.  `tts#[...]`, a slip of an old
client, means `#tts[...]`.  A prompt with nothing in its brackets plays nothing and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.errors import GatewayError

__all__ = [
    "MOST_SPOKEN",
    "BadPrompt",
    "FilePrompt",
    "Prompt",
    "SsmlPrompt",
    "TtsPrompt",
    "UrlPrompt",
    "read_prompt",
    "read_prompts",
    "split_prompts",
]

MOST_SPOKEN: Final = 600
"""Characters that one command may have spoken; SSML's tags do not count."""

_COMMAND: Final = re.compile(r"(?:#(\w+)|(\w+)#)\[(.*)\]", re.DOTALL)
_TAG: Final = re.compile(r"<[^<>]*>")
_SEPARATOR: Final = ";"


class BadPrompt(GatewayError):
    """A prompt that cannot be played; the text says why."""


@dataclass(frozen=True, slots=True)
class TtsPrompt:
    """A text to speak."""

    text: str


@dataclass(frozen=True, slots=True)
class SsmlPrompt:
    """A text to speak, with SSML's marks."""

    ssml: str


@dataclass(frozen=True, slots=True)
class UrlPrompt:
    """A sound to fetch by HTTP or HTTPS."""

    url: str


@dataclass(frozen=True, slots=True)
class FilePrompt:
    """A sound that lies ready under this id."""

    id: str


Prompt: TypeAlias = TtsPrompt | SsmlPrompt | UrlPrompt | FilePrompt


def read_prompts(text: str | Iterable[str]) -> tuple[Prompt, ...]:
    """Return the prompts of a list: a string with `;` between them, or the `ids` of playFiles, one each.

    Raises:
        BadPrompt: a bracket that is never closed, an unknown command, a text that is too long, no URL in `#href`.
    """
    items = split_prompts(text) if isinstance(text, str) else text
    return tuple(prompt for prompt in map(read_prompt, items) if prompt is not None)


def split_prompts(text: str) -> tuple[str, ...]:
    """Return the items of a prompt list, without those that are blank.

    Raises:
        BadPrompt: a bracket is never closed.
    """
    items, item, depth = [], "", 0
    for piece in re.split(r"([\[\];])", text):
        if piece == _SEPARATOR and not depth:
            items.append(item)
            item = ""
            continue
        item += piece
        depth = max(depth + (piece == "[") - (piece == "]"), 0)
    if depth:
        raise BadPrompt("a [ is never closed")
    return tuple(item.strip() for item in (*items, item) if item.strip())


def read_prompt(item: str) -> Prompt | None:
    """Return what one item plays; None if it is empty.

    Raises:
        BadPrompt: as `read_prompts`.
    """
    item = item.strip()
    if command := _COMMAND.fullmatch(item):
        name, content = (command[1] or command[2]).lower(), command[3].strip()
        if name not in _COMMANDS:
            raise BadPrompt(f"#{name}[...] is no prompt: there are #tts, #ssml and #href")
        return _COMMANDS[name](content) if content else None
    if _is_url(item):
        return _url(item)
    if item.startswith("#") or re.match(r"\w+#\[", item):
        raise BadPrompt("a prompt that begins with # is #tts[...], #ssml[...] or #href[...]")
    name = item[1:-1].strip() if item.startswith("[") and item.endswith("]") else item
    return FilePrompt(name) if name else None


def _tts(text: str) -> Prompt:
    _measure(text)
    return TtsPrompt(text)


def _ssml(ssml: str) -> Prompt:
    _measure(_TAG.sub("", ssml))
    return SsmlPrompt(ssml)


def _url(url: str) -> Prompt:
    if not _is_url(url):
        raise BadPrompt("#href[...] wants a URL that begins with http:// or https://")
    if re.search(r"\s", url):
        raise BadPrompt("a URL has no white space")
    return UrlPrompt(url)


_COMMANDS: Final[Mapping[str, Callable[[str], Prompt]]] = {"tts": _tts, "ssml": _ssml, "href": _url}


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def _measure(text: str) -> None:
    if len(text) > MOST_SPOKEN:
        raise BadPrompt(f"{len(text)} characters to speak are too many: {MOST_SPOKEN} is the most")
