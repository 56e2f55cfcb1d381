"""Leaving politely: a phone that is switched off first waits for the answers to its BYE, CANCEL and REGISTER.

For the user of the engine a session is over the moment it hangs up; that the wire has an answer still to
come is not reported.  So this endpoint counts those answers as they pass.  Without the wait a lost BYE
would never be repeated, and the other end would talk on to nobody.
"""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.errors import BadMessage
from gateway.sip.endpoint import Endpoint
from gateway.sip.flow import Flow
from gateway.sip.message import Response, parse_message_untrusted

__all__ = ["PoliteEndpoint"]

_RESPONSE: Final = b"SIP/2.0"
_CANCELLED: Final = 487


class PoliteEndpoint(Endpoint):
    """An endpoint that can say whether its goodbyes were heard."""

    n_answered = 0
    """Final answers to BYE, and INVITEs that ended by our CANCEL."""
    _changed: asyncio.Event | None = None

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message, and note it if it answers a goodbye."""
        super().receive(data, flow, now)
        self.n_answered += data.startswith(_RESPONSE) and _answers_goodbye(data)
        if self._changed is not None:
            self._changed.set()

    async def goodbyes_answered(self, n_goodbyes: int, *, within_s: float) -> None:
        """Wait until so many were answered and no registration is left, or until the time is over."""
        self._changed = asyncio.Event()
        try:
            async with asyncio.timeout(within_s):
                while self.n_answered < n_goodbyes or self.census()["registrations"]:
                    await self._changed.wait()
                    self._changed.clear()
        except TimeoutError:
            pass


def _answers_goodbye(data: bytes) -> bool:
    try:
        response = parse_message_untrusted(data)
    except BadMessage:
        return False
    if not isinstance(response, Response):
        return False
    method = response.cseq.method
    return (method == "BYE" and response.status >= 200) or (
        method == "INVITE" and response.status == _CANCELLED
    )
