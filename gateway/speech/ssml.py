"""SSML, as far as it changes what is heard: `break`, `say-as`, `p`, `s`, `prosody`, `emphasis`, `sub`.

What comes out knows no engine: words with a speed, a pitch and a gain, and pauses between them.  Numbers and letters
that shall be spelled are spelled in the text.  A mark that we do not know costs nobody the words in it: they are spoken
as they stand, and a remark says what was passed over.  The same holds for a text that is not well-formed.

The text is a stranger's, so expat may meet no document type (and so no entities), and size, depth and the
number of marks are bounded.  (W3C Speech Synthesis 1.1, of which section 8 of the platform's reference has a part.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Final
from xml.parsers import expat

from gateway.speech.port import MOST_SPOKEN, BadMarkup, Pause, Piece, TooLong, Words

__all__ = ["Script", "plain_script", "read_ssml"]

_MOST_CHARACTERS: Final = 16_384
_MOST_DEPTH: Final = 32
_MOST_MARKS: Final = 1000
_LONGEST_PAUSE_S: Final = 10.0
_MOST_PAUSES_S: Final = 60.0

_STRENGTHS_S: Final[Mapping[str, float]] = {
    "none": 0.0,
    "x-weak": 0.1,
    "weak": 0.2,
    "medium": 0.4,
    "strong": 0.7,
    "x-strong": 1.0,
}
_SENTENCE_S: Final = 0.35
_PARAGRAPH_S: Final = 0.7
_SPEEDS: Final[Mapping[str, float]] = {
    "x-slow": 0.5,
    "slow": 0.75,
    "medium": 1.0,
    "fast": 1.3,
    "x-fast": 1.7,
}
_PITCHES: Final[Mapping[str, float]] = {"x-low": 0.6, "low": 0.8, "medium": 1.0, "high": 1.25, "x-high": 1.5}
_GAINS_DB: Final[Mapping[str, float]] = {
    "silent": -90.0,
    "x-soft": -12.0,
    "soft": -6.0,
    "medium": 0.0,
    "loud": 4.0,
    "x-loud": 8.0,
}
_EMPHASIS: Final[Mapping[str, tuple[float, float, float]]] = {
    "strong": (0.85, 1.15, 3.0),
    "moderate": (0.93, 1.08, 1.5),
    "reduced": (1.08, 0.95, -2.0),
    "none": (1.0, 1.0, 0.0),
}
"""Speed, pitch and gain."""
_TAG: Final = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Script:
    """What is to be said, piece by piece."""

    pieces: tuple[Piece, ...]
    remarks: tuple[str, ...] = ()
    """What was passed over."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """How words are spoken where we are."""

    speed: float = 1.0
    pitch: float = 1.0
    gain_db: float = 0.0
    say_as: str = ""
    instead: str | None = None
    """What is said for everything in here."""

    def changed(self, speed: float = 1.0, pitch: float = 1.0, gain_db: float = 0.0) -> _Manner:
        return replace(
            self,
            speed=min(max(self.speed * speed, 0.3), 3.0),
            pitch=min(max(self.pitch * pitch, 0.5), 2.0),
            gain_db=min(max(self.gain_db + gain_db, -90.0), 10.0),
        )


def plain_script(text: str) -> Script:
    """Return the script of a text without marks.

    Raises:
        TooLong: more characters than a command may have spoken.
    """
    spoken = " ".join(text.split())
    _measure(spoken)
    return Script((Words(spoken),) if spoken else ())


def read_ssml(text: str) -> Script:
    """Return what an SSML document says; one that is not well-formed is read without its marks.

    Raises:
        BadMarkup: a document type, or more marks or depth than sense.
        TooLong: more characters than a command may have spoken.
    """
    if len(text) > _MOST_CHARACTERS:
        raise TooLong(f"{len(text)} characters of SSML are too many: {_MOST_CHARACTERS} is the most")
    whole = text if re.match(r"\s*<(\?xml|speak\b|!)", text) else f"<speak>{text}</speak>"
    reader = _Reader()
    try:
        _parser(reader).Parse(whole, True)
    except expat.ExpatError as error:
        bare = plain_script(unescape(_TAG.sub(" ", text)))
        return Script(bare.pieces, (f"not well-formed, so its marks are passed over: {error}",))
    script = reader.script()
    _measure("".join(piece.text for piece in script.pieces if isinstance(piece, Words)))
    return script


def _measure(spoken: str) -> None:
    if len(spoken) > MOST_SPOKEN:
        raise TooLong(f"{len(spoken)} characters to speak are too many: {MOST_SPOKEN} is the most")


def _parser(reader: _Reader) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    return parser


def _refuse_doctype(*_: object) -> None:
    raise BadMarkup("SSML has no document type and no entities here")


@dataclass(slots=True)
class _Reader:
    """Gathers pieces while expat reads."""

    pieces: list[Piece] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    manners: list[_Manner] = field(default_factory=lambda: [_Manner()])
    gap_s: float = 0.0
    """The pause before the next words that the end of a sentence asks for."""
    marks: int = 0
    paused_s: float = 0.0

    def script(self) -> Script:
        return Script(tuple(self.pieces), tuple(dict.fromkeys(self.remarks)))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.marks += 1
        if self.marks > _MOST_MARKS or len(self.manners) > _MOST_DEPTH:
            raise BadMarkup(f"SSML has at most {_MOST_MARKS} marks, {_MOST_DEPTH} deep")
        manner = self.manners[-1]
        if mark := _MARKS.get(tag.lower()):
            manner = mark(self, attributes, manner)
        else:
            self.remarks.append(f"<{tag}> is not known: its words are spoken as they stand")
        self.manners.append(manner)

    def end(self, tag: str) -> None:
        manner = self.manners.pop()
        if manner.instead is not None and self.manners[-1].instead is None:
            self._say(manner.instead, manner)
        self.gap_s = max(self.gap_s, _GAPS_S.get(tag.lower(), 0.0))

    def text(self, text: str) -> None:
        manner = self.manners[-1]
        if manner.instead is None:
            self._say(text, manner)

    def pause(self, seconds: float) -> None:
        """Say nothing for a while; all pauses of a document have a bound."""
        seconds = min(seconds, _LONGEST_PAUSE_S, _MOST_PAUSES_S - self.paused_s)
        if seconds > 0:
            self.paused_s += seconds
            self.pieces.append(Pause(seconds))

    def _say(self, text: str, manner: _Manner) -> None:
        spoken = " ".join(_SPELLINGS.get(manner.say_as, str)(text).split())
        if not spoken:
            return
        if self.gap_s and self.pieces:
            self.pause(self.gap_s)
        self.gap_s = 0.0
        words = Words(spoken, manner.speed, manner.pitch, manner.gain_db)
        last = self.pieces[-1] if self.pieces else None
        if isinstance(last, Words) and replace(last, text=spoken) == words:
            words = replace(words, text=f"{last.text} {spoken}")  # one breath, whatever stood between
            self.pieces.pop()
        self.pieces.append(words)


def _plain(_reader: _Reader, _attributes: Mapping[str, str], manner: _Manner) -> _Manner:
    return manner


def _sentence(reader: _Reader, _attributes: Mapping[str, str], manner: _Manner) -> _Manner:
    reader.gap_s = max(reader.gap_s, _SENTENCE_S)
    return manner


def _paragraph(reader: _Reader, _attributes: Mapping[str, str], manner: _Manner) -> _Manner:
    reader.gap_s = max(reader.gap_s, _PARAGRAPH_S)
    return manner


def _break(reader: _Reader, attributes: Mapping[str, str], manner: _Manner) -> _Manner:
    if (time := attributes.get("time")) is not None:
        found = re.fullmatch(r"\+?(\d{0,6}\.?\d{0,6})(ms|s)", time.strip())
        if found and found[1].strip("."):
            reader.pause(float(found[1]) / (1000 if found[2] == "ms" else 1))
            return manner
        reader.remarks.append(f"a break of {time!r} has no length that can be read: a usual one is made")
    reader.pause(_STRENGTHS_S.get(attributes.get("strength", "medium"), _STRENGTHS_S["medium"]))
    return manner


def _prosody(reader: _Reader, attributes: Mapping[str, str], manner: _Manner) -> _Manner:
    known = {"rate": _speed_of, "pitch": _pitch_of, "volume": _gain_of}
    for name, value in attributes.items():
        changed = known[name](value.strip(), manner) if name in known else None
        if changed is None:
            reader.remarks.append(f"prosody with {name}={value!r} is passed over")
        manner = changed or manner
    return manner


def _speed_of(value: str, manner: _Manner) -> _Manner | None:
    if value in _SPEEDS:
        return manner.changed(speed=_SPEEDS[value])
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)(%?)", value)
    return manner.changed(speed=float(found[1]) / (100 if found[2] else 1)) if found else None


def _pitch_of(value: str, manner: _Manner) -> _Manner | None:
    if value in _PITCHES:
        return manner.changed(pitch=_PITCHES[value])
    if found := re.fullmatch(r"([+-]\d{1,3}(?:\.\d{1,3})?)%", value):
        return manner.changed(pitch=1 + float(found[1]) / 100)
    return None


def _gain_of(value: str, manner: _Manner) -> _Manner | None:
    if value in _GAINS_DB:
        return manner.changed(gain_db=_GAINS_DB[value])
    found = re.fullmatch(r"([+-]\d{1,2}(?:\.\d{1,3})?)dB", value)
    return manner.changed(gain_db=float(found[1])) if found else None


def _emphasis(_reader: _Reader, attributes: Mapping[str, str], manner: _Manner) -> _Manner:
    speed, pitch, gain_db = _EMPHASIS.get(attributes.get("level", "moderate"), _EMPHASIS["moderate"])
    return manner.changed(speed, pitch, gain_db)


def _sub(_reader: _Reader, attributes: Mapping[str, str], manner: _Manner) -> _Manner:
    return replace(manner, instead=attributes.get("alias"))


def _say_as(reader: _Reader, attributes: Mapping[str, str], manner: _Manner) -> _Manner:
    kind = attributes.get("interpret-as", "").lower()
    if kind == "expletive":
        return replace(manner, instead="")
    if kind not in _SPELLINGS and kind not in _LEFT_TO_THE_ENGINE:
        reader.remarks.append(f"say-as {kind!r} is not known: its words are spoken as they stand")
    return replace(manner, say_as=kind)


_Mark = Callable[[_Reader, Mapping[str, str], _Manner], _Manner]
_MARKS: Final[Mapping[str, _Mark]] = {
    "speak": _plain,
    "w": _plain,
    "p": _paragraph,
    "s": _sentence,
    "break": _break,
    "prosody": _prosody,
    "emphasis": _emphasis,
    "sub": _sub,
    "say-as": _say_as,
}
_GAPS_S: Final[Mapping[str, float]] = {"s": _SENTENCE_S, "p": _PARAGRAPH_S}


def _spelled(text: str) -> str:
    return ", ".join(character.upper() for character in text if not character.isspace())


def _digits(text: str) -> str:
    return " ".join(text)


def _telephone(text: str) -> str:
    """Digit by digit, with a comma where the number has a gap."""
    groups = re.findall(r"\w+", text)
    plus = "+ " if text.strip().startswith("+") else ""
    return plus + ", ".join(" ".join(group) for group in groups)


_SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "characters": _spelled,
    "spell-out": _spelled,
    "verbatim": _spelled,
    "digits": _digits,
    "telephone": _telephone,
}
_LEFT_TO_THE_ENGINE: Final = frozenset({"cardinal", "number"})
