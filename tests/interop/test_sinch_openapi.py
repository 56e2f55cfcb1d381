"""Schemathesis against `/openapi.json`: it reads what we promise, sends what fits and what does not, and believes
nothing."""

import subprocess
import venv
from pathlib import Path

import pytest

from gateway.api import create_app
from gateway.clock import SystemClock
from gateway.ids import CallId
from gateway.switch.records import Application, CallRecord, Number
from gateway.switch.steering import Participant
from gateway.testing.api_client import basic
from gateway.testing.api_server import run_program, visiting
from gateway.testing.memory_platform import memory_platform

pytestmark = [pytest.mark.interop, pytest.mark.slow]

OURS = Application(key="5F5C418A-0F91-4BBC-8234-A9BF5EDDAD97", secret="JViE5vDor0Sw3WllZka15Q==")
CONFIGURATION = Path(__file__).parent / "sinch" / "schemathesis.toml"
ENVIRONMENT = Path(__file__).parents[2] / "build" / "schemathesis"
EXAMPLES = 20
"""Of each operation and kind; more find nothing else in reasonable time."""


class Status:
    """What the health page would tell."""

    ready = True
    census = ()


@pytest.fixture
def app():
    """Return an API with something of everything."""
    platform, calls, store = memory_platform(OURS, clock=SystemClock())
    store.records["c1"] = CallRecord(call="c1", application=OURS.key, started_at=1.0)
    store.counters["currentcalls"] = (3, 1.0)
    store.owned["+46700000001", "voice"] = Number("+46700000001")
    calls.rooms[OURS.key, "room"] = [Participant(CallId("c1"), "+46700000000", 1, False, False)]
    return create_app(Status(), platform=platform)


@pytest.fixture(scope="session")
def schemathesis():
    """Return its command, from an environment of its own: it would bring a pytest plugin into ours."""
    command = ENVIRONMENT / "bin" / "schemathesis"
    if not command.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        pip = [ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "-q", "schemathesis>=4,<5"]
        installed = subprocess.run(pip, capture_output=True, text=True, timeout=400, check=False)
        if installed.returncode != 0:
            pytest.skip(f"pip has no index: {installed.stderr.strip()[-300:]}")
    return command


@pytest.mark.timeout(600)
def test_schemathesis_finds_nothing(app, schemathesis, tmp_path):
    async def visit(url):
        return await run_program(
            schemathesis,
            "--config-file",
            CONFIGURATION,
            "run",
            f"{url}/openapi.json",
            "--header",
            f"Authorization: {basic(OURS)}",
            "--max-examples",
            str(EXAMPLES),
            "--seed",
            "1",
            "--suppress-health-check",
            "all",
            "--no-color",
            cwd=tmp_path,
            patience_s=550.0,
        )

    visiting(app, visit)
