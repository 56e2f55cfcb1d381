"""Browsers with media of their own: ICE, DTLS and SRTP of Chromium, under JsSIP's and SIP.js's SIP."""

import contextlib
from pathlib import Path

import pytest

from gateway.testing.browser import BrowserPhone, Chromium, bundled
from gateway.testing.processes import Serving, free_block

pytestmark = pytest.mark.interop

PAGES = Path(__file__).parent / "browsers"
WORKSHOP = Path(__file__).parents[2] / "build" / "browsers"
LIBRARIES = ("jssip", "sipjs")
APPLICATION = "00000000-0000-4000-8000-000000000001"
SETTINGS = (
    f'[[applications]]\nkey = "{APPLICATION}"\nsecret = "c2VjcmV0"\n'
    f'[[users]]\napplication = "{APPLICATION}"\nname = "alice"\npassword = "secret"\n'
)
WS_PORT = free_block()[0]


@pytest.fixture(scope="module")
def chromium():
    pytest.importorskip("playwright", reason="the dependency group `interop` is not installed")
    with Chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def switch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("webrtc")
    with Serving(folder / "switch", settings=SETTINGS, listen=[f"ws:127.0.0.1:{WS_PORT}"]) as serving:
        yield serving


@pytest.fixture
def phone(switch, chromium):
    """Give what makes a page of a library into a phone whose media is the browser's own."""
    scripts = bundled(PAGES, WORKSHOP, LIBRARIES)
    with contextlib.ExitStack() as running:
        yield lambda library: running.enter_context(
            BrowserPhone(
                chromium,
                scripts[library],
                user="alice",
                password="secret",
                server=f"ws://127.0.0.1:{WS_PORT}/",
                domain=switch.address,
                stand_in=PAGES / "real_media.js",
            )
        )


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_browser_hears_itself_in_the_echo_test(switch, phone, library):
    alice = phone(library)
    alice.do("dial", switch.uri("echo"))
    alice.wait_for_next("established")
    state = alice.wait_for_media(received=50)
    assert state["connection"] == "connected"
    assert state["codec"] in {"audio/PCMU", "audio/PCMA"}
    assert state["lost"] == 0
    alice.do("hangUp")
    alice.wait_for_end()
