"""Who keeps a session alive, as a table (RFC 4028 section 10).

A session without a timer is not in it.  Each 2xx that carries a Session-Expires starts the interval anew and
says whose turn it is, which is the way into `OURS` and `THEIRS`; what is here is what happens in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

__all__ = ["REFRESH", "RefreshInput", "RefreshReaction", "RefreshState"]


class RefreshState(Enum):
    """Whose turn it is."""

    OURS = "we refresh when half of the interval is over"
    ASKED = "our refresh is under way"
    THEIRS = "they refresh, and we wait"


class RefreshInput(Enum):
    """What can happen."""

    HALF = "half of the interval is over"
    BUSY = "half of it is over, and an offer is open"
    MOMENT = "our refresh was refused because of the moment: 491, 480, 5xx"
    LONGER = "422: they want a longer interval"
    NO_UPDATE = "our UPDATE was refused"
    REFUSED = "our re-INVITE was refused"
    END = "the interval is all but over, and nothing was heard"


class RefreshReaction(Enum):
    """What follows."""

    SEND = "refresh"
    BY_INVITE = "refresh by re-INVITE, now and from now on"
    LATER = "try again in some seconds"
    KEEP = "start the interval anew, for whoever refuses is there"
    HANG_UP = "end the session"


_S, _I, _R = RefreshState, RefreshInput, RefreshReaction

REFRESH: Final[Mapping[tuple[RefreshState, RefreshInput], tuple[RefreshState, RefreshReaction]]] = {
    (_S.OURS, _I.HALF): (_S.ASKED, _R.SEND),
    (_S.OURS, _I.BUSY): (_S.OURS, _R.LATER),
    (_S.OURS, _I.END): (_S.OURS, _R.HANG_UP),
    (_S.ASKED, _I.MOMENT): (_S.OURS, _R.LATER),
    (_S.ASKED, _I.LONGER): (_S.ASKED, _R.SEND),
    (_S.ASKED, _I.NO_UPDATE): (_S.ASKED, _R.BY_INVITE),
    (_S.ASKED, _I.REFUSED): (_S.OURS, _R.KEEP),
    (_S.ASKED, _I.END): (_S.ASKED, _R.HANG_UP),
    (_S.THEIRS, _I.END): (_S.THEIRS, _R.HANG_UP),
}
"""A missing pair changes nothing: their refresh has overtaken ours."""
