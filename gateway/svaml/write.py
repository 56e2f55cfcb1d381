"""Write a document as JSON that `gateway.svaml.parse` reads back as the same document.

By the same table of fields; what has its default is left out.
"""

from __future__ import annotations

from gateway.svaml.fields import ACTIONS, INSTRUCTIONS
from gateway.svaml.model import Document

__all__ = ["dump"]


def dump(document: Document) -> dict[str, object]:
    """Return the JSON object of a document, in the wire's own spelling and order."""
    return {
        "instructions": [INSTRUCTIONS.write(each) for each in document.instructions],
        "action": ACTIONS.write(document.action),
    }
