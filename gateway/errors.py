"""What can go wrong, by who broke the rule.

- GatewayError
  - PeerError(status)        the other end broke the rule; `status` is the SIP status that says so
    - BadMessage             bytes from the network that are not what they should be
  - LocalError               we were asked for something that is not possible in this state
  - ConfigError(path)        the configuration; `path` is the key that is wrong
  - Overload(retry_after_s)  a limit is reached; try again after that many seconds

Bad input from a peer is expected: it is counted, answered and logged once.  A broken invariant is an
`assert`: the call dies, the process lives.
"""

from __future__ import annotations

__all__ = ["BadMessage", "ConfigError", "GatewayError", "LocalError", "Overload", "PeerError"]


class GatewayError(Exception):
    """Root of everything that Tandem raises on purpose."""


class PeerError(GatewayError):
    """The peer broke a rule; `status` is the SIP status code that tells it so."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class BadMessage(PeerError):
    """Bytes from the network that do not parse; the only thing an `*_untrusted` parser may raise."""


class LocalError(GatewayError):
    """A request of our own that the present state does not allow."""


class ConfigError(GatewayError):
    """A configuration that cannot be used; `path` names the key, e.g. `sip.listen[0]`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


class Overload(GatewayError):
    """A limit is reached; the caller may try again after `retry_after_s` seconds."""

    def __init__(self, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
