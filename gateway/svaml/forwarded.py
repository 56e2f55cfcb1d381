"""The `X-CB-*` headers of a callout, which go along with every callback about its call (wire format 5.1).

An application's web server marks a request, `X-CB-Trace: 7`, and finds the mark again in the callbacks.  What may be
marked so is narrow, since these lines end up in somebody's HTTP request: five headers, names of up to 32 characters,
values of up to 128 printable ASCII characters.  What does not fit is left out without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

__all__ = ["MOST_HEADERS", "forwardable"]

MOST_HEADERS: Final = 5
_NAME: Final = re.compile(r"(?i:X-CB-)[A-Za-z0-9!#$%&'*+.^_`|~-]{1,27}")
"""A token (RFC 9110 section 5.6.2) of 32 characters with its prefix."""
_VALUE: Final = re.compile(r"[ -~]{0,128}")


def forwardable(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the first five of `headers` that go along with callbacks, as they were written."""
    fitting = ((name, value) for name, value in headers if _NAME.fullmatch(name) and _VALUE.fullmatch(value))
    return tuple(islice(fitting, MOST_HEADERS))
