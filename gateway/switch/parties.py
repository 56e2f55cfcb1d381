"""Who is there in a call of an application: whoever called, whoever was called, or one of them alone."""

from __future__ import annotations

from typing import Final

from gateway.switch.calls import Call
from gateway.switch.legs import Leg
from gateway.switch.steering import Ear

__all__ = ["Parties"]


class Parties:
    """The two ends of one call."""

    def __init__(self, call: Call) -> None:
        self._call: Final = call
        self.caller: Leg | None = None
        """Whoever called; in a call that an application began, whoever answered before somebody else was dialled."""
        self.callee: Leg | None = None

    @property
    def there(self) -> tuple[Leg, ...]:
        """Those who are there, the caller first; one who was transferred away is not."""
        both = (self.caller, self.callee)
        return tuple(leg for leg in both if leg is not None and leg.id in self._call.legs)

    def hearing(self, ear: Ear) -> tuple[Leg, ...]:
        """Return who hears what is played; a caller who was not answered hears it as early media."""
        match ear:
            case Ear.CALLER:
                chosen = self.there[:1]
            case Ear.CALLEE:
                chosen = self.there[-1:]
            case Ear.BOTH:
                chosen = self.there
        arrival = self._call.arrival
        if self.caller in chosen and self.caller is not None and arrival is not None and not arrival.answered:
            arrival.be_heard(self.caller)
        return chosen

    def turn(self) -> None:
        """Let whoever was called be the one for whom the next one is called, or go, if there is a caller."""
        if self.callee is not None and self.callee.id in self._call.legs:
            if self.caller is None:
                self.caller = self.callee
            else:
                self._call.let_go(self.callee)
        self.callee = None
