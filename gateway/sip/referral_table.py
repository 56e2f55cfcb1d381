"""A transfer that the peer asked for by REFER, as a table: what it is told and when (RFC 3515, RFC 4488).

REFER opens a subscription to its own outcome: 202, a NOTIFY at once, one for each change, and one that ends
it.  The subscription outlives the session, for transferors hang up as soon as they are told 202
(RFC 5589 section 6.1); it ends with the outcome, with a peer that wants to hear no more, or with its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

__all__ = ["REFERRALS", "ReferralAction", "ReferralInput", "ReferralState"]


class ReferralState(Enum):
    """Where it is."""

    ASKED = "our user has not said whether it will"
    ACTIVE = "it is being tried"
    OVER = "nothing more is told"


class ReferralInput(Enum):
    """What can happen."""

    ACCEPT = "our user will try"
    REFUSE = "our user will not"
    PROGRESS = "the new call rings"
    DONE = "the new call was answered, or failed"
    DEAF = "the peer answered a NOTIFY with an error, or not at all"
    OVERDUE = "it takes longer than the subscription lasts"
    END = "the session ended"


class ReferralAction(Enum):
    """What follows."""

    SAY_202 = "answer 202, and notify 100"
    SAY_NO = "answer with the refusal"
    NOTIFY = "notify that it is going on"
    NOTIFY_LAST = "notify how it ended"
    NOTHING = "nothing"


_S, _I, _A = ReferralState, ReferralInput, ReferralAction

REFERRALS: Final[Mapping[tuple[ReferralState, ReferralInput], tuple[ReferralState, ReferralAction]]] = {
    (_S.ASKED, _I.ACCEPT): (_S.ACTIVE, _A.SAY_202),
    (_S.ASKED, _I.REFUSE): (_S.OVER, _A.SAY_NO),
    (_S.ASKED, _I.OVERDUE): (_S.OVER, _A.SAY_NO),
    (_S.ASKED, _I.END): (_S.OVER, _A.SAY_NO),
    (_S.ACTIVE, _I.PROGRESS): (_S.ACTIVE, _A.NOTIFY),
    (_S.ACTIVE, _I.DONE): (_S.OVER, _A.NOTIFY_LAST),
    (_S.ACTIVE, _I.DEAF): (_S.OVER, _A.NOTHING),
    (_S.ACTIVE, _I.OVERDUE): (_S.OVER, _A.NOTIFY_LAST),
    (_S.ACTIVE, _I.END): (_S.ACTIVE, _A.NOTHING),
}
"""A missing pair is not legal: from our user it is a `LocalError`, from elsewhere it changes nothing."""
