"""The test numbers: destinations that cost nothing and behave the same each time, without any phone.

Whoever builds an application needs somebody who is busy, somebody who never answers, somebody who listens for two
minutes.  The numbers are those of the wire format's own simulator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.switch.causes import Ending
from gateway.switch.steering import Prompt

__all__ = ["SIMULATED", "Simulation", "simulation_of"]

_RING_S: Final = 7.5
_NEVER_S: Final = 45.0
_PROMPT: Final = Prompt("This is a test call.", spoken=True)
_TEN_TIMES: Final = 10
_TWO_MINUTES_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Simulation:
    """What one number does."""

    rings_s: float = _RING_S
    refusal: Ending | None = None
    """How it refuses after that; None = it answers."""
    prompts: int = 1
    """How often it says its sentence."""
    speaks_s: float = 0.0
    """For how long it plays music after that."""
    until: str | None = None
    """A key that makes it hang up."""

    @property
    def prompt(self) -> Prompt:
        """Its sentence."""
        return _PROMPT


_DENIED: Final = Ending(603, "The test number denies the call", 21, by="callee")
_SILENT: Final = Ending(480, "The test number does not answer", 19, by="timeout")
_CONGESTED: Final = Ending(503, "The test number is congested", 42, by="callee")

SIMULATED: Final[Mapping[int, Simulation]] = MappingProxyType(
    {
        0: Simulation(),
        1: Simulation(),
        **{times: Simulation(prompts=times) for times in range(2, 10)},
        10: Simulation(prompts=0, speaks_s=_TWO_MINUTES_S),
        20: Simulation(prompts=_TEN_TIMES, until="0"),
        30: Simulation(rings_s=0.0, refusal=_DENIED),
        31: Simulation(refusal=_DENIED),
        40: Simulation(rings_s=_NEVER_S, refusal=_SILENT),
        50: Simulation(rings_s=0.0, refusal=_CONGESTED),
        51: Simulation(refusal=_CONGESTED),
    }
)
"""By the digits behind the zeros."""

_TEST_NUMBER: Final = re.compile(r"\+460{7,9}([0-9]{1,2})\Z")
"""Sweden's numbers do not begin with a zero: nobody has one of these.  Their documentation varies in zeros."""


def simulation_of(number: str) -> Simulation | None:
    """Return what a number in E.164 does if it is a test number."""
    found = _TEST_NUMBER.match(number)
    return None if found is None else SIMULATED.get(int(found[1]))
