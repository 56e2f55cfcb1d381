"""What to try when a call came to nothing: one sentence for each way it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.sip.events import EndCause

__all__ = ["advice"]

_BY_STATUS: Final[Mapping[int, str]] = {
    401: "The other end wants to know who calls: give --user and --password, or check them.",
    403: "The other end knows the caller and refuses: check --user and --password, or ask its operator.",
    404: "There is nobody of that name: on a Tandem, sip:echo@HOST always answers.",
    407: "A proxy on the way wants to know who calls: give --user and --password, or check them.",
    408: "Nothing was heard in time: is `tandem serve` running, and is the address right?",
    480: "The one you call is not registered or does not answer now: is its phone on?",
    486: "The one you call is on the phone: try again later.",
    487: "The call was ended before anybody took it.",
    488: "The two ends have no codec in common: try another --codec.",
    600: "The one you call is on the phone: try again later.",
    603: "The one you call does not want to talk.",
}
_NO_REPLY: Final = (
    "Nothing was heard from there: is `tandem serve` running, and are address and --transport right?"
)
_BY_CLASS: Final[Mapping[int, str]] = {
    3: "The one you call has moved; the test phone does not follow.",
    4: "The other end did not like the call itself; its reason is above.",
    5: "The other end failed, or is not ready: look into its log, and try again later.",
    6: "The one you call refuses everywhere; its reason is above.",
}


def advice(cause: EndCause) -> str:
    """Return what a person may try after this."""
    if cause.by in {"transport", "timeout"} or cause.status is None:
        return _NO_REPLY
    return _BY_STATUS.get(cause.status) or _BY_CLASS.get(cause.status // 100, _NO_REPLY)
