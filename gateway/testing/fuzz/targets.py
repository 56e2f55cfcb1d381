"""What can be fuzzed.

Targets are named, not imported: fuzzing a decoder loads no SIP.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

__all__ = ["TARGETS", "Target", "Tell"]

Tell = Callable[[bytes], tuple[int, bytes]]
"""Takes one input, and raises whatever breaks a promise; returns how many messages it had, and what came out."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that takes a stranger's bytes."""

    corpus_name: str
    """Where the function is that makes valid inputs, to be mutated."""
    tell_name: str | None = None
    """Where the function is that takes an input; None: the target is in `native/fuzz`."""
    planted: bool = False
    """It has a mistake, for the tests of the fuzzer."""

    def corpus(self) -> list[bytes]:
        """Make the valid inputs."""
        return list(_found(self.corpus_name)())

    def tell(self) -> Tell:
        """Return what takes an input, of a target in Python."""
        assert self.tell_name is not None, "this one is C's: tandem_fuzz runs it"
        tell: Tell = _found(self.tell_name)
        return tell


def _found(name: str) -> Any:
    return pkgutil.resolve_name(f"gateway.testing.fuzz.{name}")


TARGETS: Final[Mapping[str, Target]] = MappingProxyType(
    {
        "pcmu": Target("streams:pcmu"),
        "pcma": Target("streams:pcma"),
        "g729": Target("streams:g729"),
        "ilbc": Target("streams:ilbc"),
        "plane": Target("streams:plane"),
        "srtp": Target("streams:srtp"),
        "sdp": Target("conversations:sdp_corpus", "parsers:read_description"),
        "sip-message": Target("conversations:message_corpus", "parsers:read_message"),
        "sip-engine": Target("conversations:conversation_corpus", "engine:converse"),
        "svaml": Target("documents:svaml_corpus", "documents:read_svaml"),
        "planted": Target("streams:plane", planted=True),
        "planted-python": Target("conversations:message_corpus", "parsers:read_believing", planted=True),
    }
)
