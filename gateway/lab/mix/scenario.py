"""What a scenario says: who takes part, over what codec and network, and what happens to them when.

`EXAMPLE` shows every key.  Every mistake is told with the path of its key (`party[2].loss`).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.errors import ConfigError, LocalError
from gateway.media.mixer import GAIN_DB
from gateway.media.sources import loop_of

__all__ = ["EXAMPLE", "Change", "Party", "RoomSettings", "Scenario", "read_scenario", "scenario_of"]

_Seconds = Annotated[float, Field(ge=0, le=86_400)]
_Gain = Annotated[float, Field(ge=GAIN_DB[0], le=GAIN_DB[1])]


def _known_source(name: str) -> str:
    try:
        loop_of(name)
    except LocalError as error:
        raise ValueError(str(error)) from error
    return name


_Source = Annotated[str, AfterValidator(_known_source)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]

_ILBC_PTIMES_MS: Final = (20, 30, 40, 60)

EXAMPLE: Final = """\
# A scenario for `tandem mix`: who takes part, over what line, and what happens to them when.
seed = 1                # of the networks: the same seed gives the same bits
# duration_s = 30       # without it, until everybody has said everything

[room]                  # how the room is mixed; these are the defaults
gate_from = 5           # with so many people only who speaks is heard; 0 = never
loudest = 8             # so many are heard at once ...
loudest_from = 25       # ... in rooms of so many
loudest_margin_db = 3   # by which a newcomer must be louder
auto_gain = false       # bring everybody to one level

[[party]]
name = "anna"
file = "anna.wav"       # any rate, any number of channels; relative to this file
codec = "pcmu"          # pcmu, pcma, g729 or ilbc
ptime_ms = 20           # milliseconds a packet
changes = [
  { at_s = 5, muted = true },
  { at_s = 8, muted = false, gain_in_db = 6 },
]

[[party]]
name = "ben"
file = "ben.wav"
codec = "g729"
annexb = true           # silence goes unsent
loss = 0.02             # share of packets that never arrive
jitter_ms = 25          # each is late by 0 to so much
drift_ppm = 50          # how much faster its clock runs
seed = 7                # of its network alone
join_s = 1.5
leave_s = 20
talk_s = 2              # after joining, until the file begins
repeat = false          # begin again when the file is over
deaf = false
gain_in_db = 0          # of what it says
gain_out_db = -3        # of what it hears
changes = [{ at_s = 10, hold = "music" }, { at_s = 14, hold = "" }]

[[party]]
name = "supervisor"     # without a file: only listens
coach = "anna"          # heard by her alone

[[party]]
name = "announcement"
source = "tone:440"     # or music: the switch itself, not a phone
join_s = 3
leave_s = 4
"""
"""Every key, with a word on each."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Change(_Strict):
    """Something that happens to a party; what is not said stays as it was."""

    at_s: _Seconds
    muted: bool | None = None
    deaf: bool | None = None
    gain_in_db: _Gain | None = None
    gain_out_db: _Gain | None = None
    hold: _Source | Literal[""] | None = None
    """A source that it hears instead of the room, e.g. `music`; "" ends it."""
    coach: str | None = None
    """The only party that hears it; "" = everybody does."""


class Party(_Strict):
    """Somebody who takes part: a file over a phone line, or a source of the switch (music, a tone) in the room."""

    name: _Name
    file: Path | None = None
    """A WAV file, relative to the scenario's."""
    source: _Source | None = None
    """`music`, `tone:HZ` or `silence` instead of a file: not a phone but the switch itself."""
    codec: Literal["pcmu", "pcma", "g729", "ilbc"] = "pcmu"
    ptime_ms: Literal[10, 20, 30, 40, 50, 60] = 20
    annexb: bool = False
    """G.729: silence goes unsent."""
    loss: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of its packets that never arrive, 0 to 1."""
    jitter_ms: Annotated[float, Field(ge=0, le=500)] = 0.0
    """Each packet is late by 0 to so much."""
    drift_ppm: Annotated[float, Field(ge=-1000, le=1000)] = 0.0
    """How much faster its clock runs than ours."""
    seed: int | None = None
    """Of its network; none = the scenario's and its place."""
    join_s: _Seconds = 0.0
    leave_s: _Seconds | None = None
    talk_s: _Seconds = 0.0
    """How long after joining its file begins."""
    repeat: bool = False
    """The file begins again when it is over."""
    muted: bool = False
    deaf: bool = False
    gain_in_db: _Gain = 0.0
    gain_out_db: _Gain = 0.0
    coach: str | None = None
    changes: tuple[Change, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Party:
        if self.codec == "ilbc" and self.ptime_ms not in _ILBC_PTIMES_MS:
            raise ValueError("ptime_ms: iLBC has packets of 20, 30, 40 or 60 ms")
        if self.leave_s is not None and self.leave_s <= self.join_s:
            raise ValueError("leave_s: nobody leaves before joining")
        return self

    @property
    def mode_ms(self) -> int:
        """How long iLBC's frames are."""
        return 30 if self.ptime_ms % 30 == 0 else 20


class RoomSettings(_Strict):
    """How the room is mixed: see `gateway.media.commands.RoomState`."""

    gate_from: Annotated[int, Field(ge=0)] = 5
    loudest: Annotated[int, Field(ge=0, le=64)] = 8
    loudest_from: Annotated[int, Field(ge=0)] = 25
    loudest_margin_db: Annotated[float, Field(ge=0, le=20)] = 3.0
    auto_gain: bool = False


class Scenario(_Strict):
    """A whole conference."""

    seed: int = 1
    duration_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    """None = until the longest file is over."""
    room: RoomSettings = RoomSettings()
    party: Annotated[tuple[Party, ...], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _names_are_known(self) -> Scenario:
        names = [party.name for party in self.party]
        for at, party in enumerate(self.party):
            if names.index(party.name) != at:
                raise ValueError(f"party[{at}].name: there is a {party.name} already")
            coached = (party.coach, *(change.coach for change in party.changes))
            for name in filter(None, coached):
                if name not in names:
                    raise ValueError(f"party[{at}].coach: there is no party {name}")
        return self


def read_scenario(path: Path) -> Scenario:
    """Read a scenario; the files it names become paths from here.

    Raises:
        LocalError: the file cannot be read.
        ConfigError: it is no TOML, or a key of it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        keys = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"no TOML: {error}") from error
    scenario = scenario_of(keys)
    parties = [
        party if party.file is None else party.model_copy(update={"file": path.parent / party.file})
        for party in scenario.party
    ]
    return scenario.model_copy(update={"party": tuple(parties)})


def scenario_of(keys: dict[str, Any]) -> Scenario:
    """Return the scenario that a TOML document's keys say.

    Raises:
        ConfigError: with the path of the first key that is wrong.
    """
    try:
        return Scenario.model_validate(keys)
    except ValidationError as error:
        first = error.errors()[0]
        words = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigError(_path(first["loc"]) or "scenario", words) from error


def _path(places: tuple[int | str, ...]) -> str:
    path = ""
    for place in places:
        path += f"[{place}]" if isinstance(place, int) else f".{place}" if path else place
    return path
