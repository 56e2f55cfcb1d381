"""What calls of applications share: whose they are, who steers them, and where they are written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.ids import CallId
from gateway.switch.admission import Allowances
from gateway.switch.conferences import Conferences
from gateway.switch.prompts import Beeps, Prompter
from gateway.switch.recordings import Recordings
from gateway.switch.records import Application
from gateway.switch.steering import Steering
from gateway.switch.stores import CallBook, Directory

if TYPE_CHECKING:
    from gateway.switch.steered import Steered

__all__ = ["Applications"]


@dataclass(frozen=True, slots=True)
class Applications:
    """Everything that calls of applications share in one process."""

    directory: Directory
    book: CallBook
    steering: Steering
    conferences: Conferences
    prompter: Prompter = field(default_factory=Beeps)
    recordings: Recordings | None = None
    """None = nothing can be recorded."""
    allowances: Allowances = field(default_factory=Allowances)
    live: dict[CallId, Steered] = field(default_factory=dict)
    """The calls that are up."""
    counters: Counter[str] = field(default_factory=Counter)

    def of_user(self, name: str) -> Application | None:
        """Return the application that a user of this switch belongs to."""
        for application in self.directory.applications():
            if self.directory.user(application.key, name) is not None:
                return application
        return None

    def of_number(self, e164: str) -> Application | None:
        """Return the application that gets the calls of a number."""
        owned = self.directory.number(e164)
        if owned is None or owned.application is None:
            return None
        return self.directory.application(owned.application)
