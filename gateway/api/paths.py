"""One path for each operation, and the many under which the world asks for it.

Sinch has moved its paths between hosts and prefixes since 2014, and each client was written against some year's.
Here an operation has one path, which `/openapi.json` shows; `ALIASES` says which older prefixes mean the same, and
one rewriting before the router makes them so.  A slash at the end of any path means nothing.

The path that a request was *signed* over is not this one but what the client wrote: see
`gateway.api.authentication`.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ALIASES", "canonical"]

ALIASES: Final[tuple[tuple[str, str], ...]] = (
    ("/v1/callouts", "/calling/v1/callouts"),
    ("/v1/calls", "/calling/v1/calls"),
    ("/v1/call", "/calling/v1/calls"),
    ("/calling/v1/call", "/calling/v1/calls"),
    ("/v1/conferences", "/calling/v1/conferences"),
    ("/v1/callreport", "/calling/v1/callreport"),
    ("/v1/recording", "/calling/v1/recording"),
    ("/calling/v1/configuration", "/v1/configuration"),
    ("/calling/v1/calling/query", "/v1/calling/query"),
    ("/calling/v1/query", "/v1/calling/query"),
    ("/v1/query", "/v1/calling/query"),
    ("/calling/v1/users", "/v1/users"),
    ("/calling/v1/counters", "/v1/counters"),
    ("/calling/v1/services", "/v1/services"),
    ("/calling/v1/timestamp", "/v1/timestamp"),
)
"""(older prefix, the one we serve); a prefix ends where a segment does."""


def canonical(path: str) -> str:
    """Return the path under which an operation is served here.

    path: percent-decoded, as a router compares it.  What no alias names is returned without a slash at its end.
    """
    bare = path.rstrip("/") or "/"
    for prefix, served in ALIASES:
        if bare == prefix or bare.startswith(f"{prefix}/"):
            return served + bare[len(prefix) :]
    return bare
