"""How often an application may ask: a bucket of tokens for each.

A bucket holds what may be asked at once and fills at the rate that is allowed in the long run.  An application that
asks faster gets 429 and the whole seconds after which one token will be there (`Retry-After`, RFC 9110 section
10.2.3).  Calls per second are the business of the switch, which counts callouts of every origin; this guards the
API's own time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Rates"]


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class Rates:
    """The buckets of all applications.

    per_s: requests a second in the long run; 0 = as many as they like.  burst: requests at once.
    """

    def __init__(self, per_s: float, *, burst: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}

    def wait_s(self, application: str, now: float) -> int:
        """Take one token; return 0, or after how many seconds there will be one.  now: monotonic seconds."""
        if self._per_s <= 0:
            return 0
        bucket = self._buckets.setdefault(application, _Bucket(self._burst, now))
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled_at) * self._per_s)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return math.ceil((1 - bucket.tokens) / self._per_s)
        bucket.tokens -= 1
        return 0
