"""What can be wrong with a document, said so that its author finds the place and the cure.

A path is a JSON path with the author's own spelling of the keys: `$.action.menus[0].options[2].action`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.errors import GatewayError
from gateway.svaml.names import likely

__all__ = ["Remark", "SvamlError"]


class SvamlError(GatewayError):
    """A document that cannot be obeyed: `path` is where, `reason` is why, `cure` is what would do (or empty)."""

    def __init__(
        self, path: str, reason: str, *, cure: str = "", missing: bool = False, offset: int | None = None
    ) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.cure = cure
        self.missing = missing
        """Something required was not given, as opposed to something given being wrong."""
        self.offset = offset
        """The character where JSON ends to be JSON; None if that is not what is wrong."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something in a document that was not obeyed, or not as written, and yet is no error."""

    path: str
    reason: str
    mistyped: str = ""
    """A name or word that is not known..."""
    known: tuple[str, ...] = ()
    """...where these are."""

    @property
    def cure(self) -> str:
        """What would do; empty if nobody can tell.  Found when asked for: most remarks are never read."""
        return likely(self.mistyped, self.known)

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
