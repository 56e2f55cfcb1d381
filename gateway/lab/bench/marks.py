"""Tables in a text of somebody else's, between two marks, so that they can be written again and again."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Marks"]


@dataclass(frozen=True, slots=True)
class Marks:
    """The lines before and after what is written."""

    begin: str
    end: str

    def filled(self, text: str, body: str) -> str:
        """Return the text with `body` between the marks.

        Raises:
            ValueError: the marks are not there.
        """
        before, begin, rest = text.partition(self.begin)
        _, end, after = rest.partition(self.end)
        if not end:
            raise ValueError(f"{self.begin} and {self.end} are needed")
        return "".join((before, begin, "\n\n", body, "\n", end, after))
