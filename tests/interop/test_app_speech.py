"""Text to speech as an application has it: the official client asks for it, and a phone nobody here wrote hears it."""

import asyncio
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from gateway.lab.measures import align, correlation
from gateway.testing.api_server import run_client
from gateway.testing.audio import read_wav, speech, write_wav
from gateway.testing.baresip import Baresip
from gateway.testing.platform import KEY, PASSWORD, SECRET, Platform
from gateway.testing.processes import free_block
from gateway.testing.speaker import spoken

pytestmark = pytest.mark.interop

SCRIPT = Path(__file__).parent / "sinch" / "live_speech.py"
WORDS = "Your appointment is on Monday at half past nine."


@pytest.fixture
def talking(tmp_path):
    """A switch that speaks; the client dies of an answer that says who called."""
    with Platform(tmp_path, speech=True, environment={"TANDEM_HTTP__CALL_FROM": "false"}) as platform:
        platform.wait_for("speech.ready")
        yield platform


@pytest.mark.skipif(find_spec("sinch") is None, reason="the dependency group `interop` is not installed")
@pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="the speech extra is not installed")
def test_the_python_client_has_a_text_said_to_a_baresip(talking, tmp_path):
    write_wav(tmp_path / "says.wav", speech())
    device = Baresip(
        tmp_path / "bob",
        user="bob",
        password=PASSWORD,
        server=talking.address,
        ports=free_block(),
        codec="PCMU",
        says=tmp_path / "says.wav",
    )
    given = {
        "host": f"127.0.0.1:{talking.http_port}",
        "key": KEY,
        "secret": SECRET,
        "user": "bob",
        "text": WORDS,
    }
    with device:
        over = asyncio.run(run_client(sys.executable, SCRIPT, given=given))
        device.wait_for_call("CALL_CLOSED")
        heard = read_wav(device.heard())

    said = spoken(WORDS, tmp_path / "reference")
    assert over == ["ANSWERED", "MANAGERHANGUP"]
    assert correlation(heard, said, align(heard, said)) > 0.95
