"""The web phone as a person has it: what is on the page is found by its name and pressed.

Nothing of the page's scripts is reached into, so a test says what people see, and its Content-Security-Policy is in
force.  Two things of the browser are changed: it would take an echo, which is what these tests listen for, out of what
is said; and its WebSockets and peer connections are kept at hand, for what befalls those.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gateway.testing.browser import Chromium
from gateway.testing.processes import PATIENCE_S

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["WebPhone", "web_page"]

T = TypeVar("T")
_POLL_MS: Final = 25
_EXPECTED: Final = re.compile(r"401 \(Unauthorized\)|ERR_CONNECTION_REFUSED")
"""What a browser complains of when a test shows a token that is not good, or ends the switch process."""
_PREPARED: Final = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...settings) {
    super(...settings);
    sockets.push(this);
  }
};
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...settings) {
    super(...settings);
    peers.push(this);
  }
};
const devices = navigator.mediaDevices;
if (devices) {
  const listen = devices.getUserMedia.bind(devices);
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  devices.getUserMedia = () => listen({ audio });
}
"""
_LOSE_PATH: Final = """() => {
  const peer = peers.at(-1);
  Object.defineProperty(peer, "connectionState", { value: "disconnected", configurable: true });
  peer.dispatchEvent(new Event("connectionstatechange"));
  delete peer.connectionState;
}"""


@contextlib.contextmanager
def web_page(chromium: Chromium, url: str) -> Iterator[Page]:
    """Give a page of ours; at the end it must have found no fault with itself."""
    with chromium.page() as page:
        faults: list[str] = []

        def heard(error: Any) -> None:
            faults.append(str(error))

        def said(message: Any) -> None:
            if message.type == "error":
                faults.append(message.text)

        page.add_init_script(_PREPARED)
        page.on("pageerror", heard)
        page.on("console", said)
        try:
            page.goto(url)
            yield page
        finally:
            page.evaluate("sessionStorage.clear()")  # the page will be another test's
            page.remove_listener("pageerror", heard)
            page.remove_listener("console", said)
        unexpected = [fault for fault in faults if not _EXPECTED.search(fault)]
        assert not unexpected, unexpected


class WebPhone:
    """A page that shows the web phone."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def sign_in(self, user: str, password: str) -> None:
        """Fill in the form and wait until the phone is there."""
        self.try_to_sign_in(user, password)
        self.is_signed_in()

    def try_to_sign_in(self, user: str, password: str) -> None:
        """Fill in the form and send it off."""
        self.page.get_by_label("Name", exact=True).fill(user)
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in")

    def sign_in_by(self, token: str) -> None:
        """Show a user token."""
        self.page.get_by_text("I have a user token").click()
        self.page.get_by_label("Token (JWT)").fill(token)
        self.press("Sign in")

    def is_signed_in(self) -> None:
        """Wait until one can dial."""
        self.page.get_by_label("Name, number, room or SIP address").wait_for()

    def dial(self, whom: str) -> None:
        """Call somebody."""
        self.page.get_by_label("Name, number, room or SIP address").fill(whom)
        self.press("Call")

    def press(self, name: str) -> None:
        """Press a button that is to be seen."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def says(self, text: str) -> None:
        """Wait until something is to be read."""
        self.page.get_by_text(text).filter(visible=True).first.wait_for()

    def is_talking(self) -> None:
        """Wait until the call is up."""
        self.says("Connected")

    def hears(self) -> None:
        """Wait until what comes is loud."""
        meter = self.page.get_by_role("meter", name="They")
        self._wait(lambda: int(meter.get_attribute("aria-valuenow") or 0) > 40, "a loud voice")

    def is_silent(self) -> None:
        """Wait until nothing comes that could be heard."""
        meter = self.page.get_by_role("meter", name="They")
        self._wait(lambda: int(meter.get_attribute("aria-valuenow") or 0) < 10, "silence")

    def quality(self) -> dict[str, str]:
        """Return what is shown of the line, once it is."""
        mos = self.page.locator("#q-mos")
        self._wait(lambda: mos.inner_text().startswith(("4", "3", "2", "1")), "a MOS")
        rows = self.page.locator(".quality div").all()
        return {row.locator("dt").inner_text(): row.locator("dd").inner_text() for row in rows}

    def lose_connection(self) -> None:
        """Cut the WebSocket, and wait until the page says that it has come back."""
        self.page.evaluate("sockets.at(-1).close()")
        self.says("Reconnecting")
        self.comes_back()

    def comes_back(self) -> None:
        """Wait until the page says that it is connected."""
        self.page.locator("#presence[data-state=on]").wait_for()

    def lose_path(self) -> None:
        """Have the browser say that its media's path is gone, and wait until the page has asked for another one."""
        before = self._ice_name()
        self.page.evaluate(_LOSE_PATH)
        self._wait(lambda: self._ice_name() != before, "an ICE restart")

    def _ice_name(self) -> str:
        name: str = self.page.evaluate("/a=ice-ufrag:(.*)/.exec(peers.at(-1).localDescription.sdp)[1]")
        return name

    def hang_up(self) -> None:
        """Hang up and wait until one can dial again."""
        self.press("Hang up")
        self.is_signed_in()

    def _wait(self, come: Callable[[], T], what: str) -> T:
        deadline = time.monotonic() + PATIENCE_S
        while not (found := come()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come:\n{self.page.locator('body').inner_text()}")
            self.page.wait_for_timeout(_POLL_MS)
        return found
