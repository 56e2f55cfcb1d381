"""A helper: a further program that is kept alive, for work that may block or die without harming a call.

Who speaks and who records are helpers.  Each has a control socket that outlives its processes, as a media worker has,
so whoever connects while there is none waits in the backlog; its path is everybody's `TANDEM_<NAME>_SOCKET`.  No call
needs a helper to live: one that cannot be kept alive is given up alone, and readiness does not wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.supervisor.child import Child
from gateway.supervisor.shared import HelperShare

__all__ = ["Helper", "helpers_of", "socket_variable"]


@dataclass(frozen=True, slots=True)
class Helper:
    """A helper as its supervisor sees it."""

    child: Child
    share: HelperShare

    def descriptors(self) -> Mapping[str, int]:
        """Return what every process of this helper inherits, by the names of the environment."""
        return {"TANDEM_CONTROL_FD": self.share.control.fileno()}


def helpers_of(
    commands: Mapping[str, Sequence[str]], shares: Mapping[str, HelperShare]
) -> tuple[Helper, ...]:
    """Return a helper for each command, none of them running yet."""
    return tuple(Helper(Child(name, argv), shares[name]) for name, argv in commands.items())


def socket_variable(name: str) -> str:
    """Return the variable that tells every process where a helper listens."""
    return f"TANDEM_{name.upper()}_SOCKET"
