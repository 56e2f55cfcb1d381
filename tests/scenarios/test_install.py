"""From nothing to a first call: the wheel in a clean environment, and a fresh clone in an empty home."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.testing.processes import Command, Serving, free_block, processes_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CHECKOUT = Path(__file__).parents[2]
BUILD_S = 500


def run(*argv, directory, home):
    """Run a command that must succeed; return what it printed."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    done = subprocess.run(
        [str(each) for each in argv],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    assert done.returncode == 0, f"{argv}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def test_the_wheel_of_the_sdist_works_in_a_clean_environment_outside_the_checkout(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    run(sys.executable, "-m", "build", "--outdir", tmp_path / "dist", CHECKOUT, directory=tmp_path, home=home)
    (wheel,), (sdist,) = (list((tmp_path / "dist").glob(kind)) for kind in ("*.whl", "*.tar.gz"))
    assert "-abi3-" in wheel.name
    assert sdist.name.startswith("tandem_voice-")
    run(sys.executable, "-m", "venv", tmp_path / "clean", directory=tmp_path, home=home)
    run(tmp_path / "clean/bin/pip", "install", "-q", wheel, directory=tmp_path, home=home)
    program = tmp_path / "clean/bin/tandem"

    assert "serve" in run(program, "--help", directory=tmp_path, home=home)
    with Serving(tmp_path / "switch", program=[str(program)]) as switch:
        heard = switch.call("echo").report

    assert heard["correlation"] > 0.98
    assert heard["gaps"] == []


def test_make_run_in_a_fresh_clone_and_an_empty_home_leads_to_a_first_call(tmp_path):
    home, clone = tmp_path / "home", tmp_path / "clone"
    home.mkdir()
    run("git", "clone", "-q", CHECKOUT, clone, directory=tmp_path, home=home)
    run("make", ".venv/run", directory=clone, home=home)
    ports = free_block()
    environment = {
        "HOME": str(home),
        "TMPDIR": str(home),
        "TANDEM_SIP__LISTEN": f"udp:127.0.0.1:{ports[0]},tcp:127.0.0.1:{ports[0]}",
        "TANDEM_HTTP__LISTEN": f"127.0.0.1:{ports[1]}",
        "TANDEM_MEDIA__PORTS": f"{ports[4]}-{ports[-1]}",
    }
    with Command(("setsid", "-w", "make", "run"), environment=environment, directory=clone) as switch:
        switch.wait_for_line(" call sip:echo@")
        line = next(line for line in switch.printed().splitlines() if " call sip:echo@" in line)
        told = run(*shlex.split(line), directory="/", home=home)

        (group,) = {os.getpgid(int(pid)) for pid in pids_of_make(clone)}
        os.killpg(group, signal.SIGINT)  # what Ctrl-C in a terminal does
        switch.wait()

    assert float(re.search(r"correlation ([\d.]+)", told)[1]) > 0.98
    assert "no gaps" in told
    assert processes_of(home) == []


def pids_of_make(directory):
    """Return the process ids of `make` in that directory."""
    return [
        each.name
        for each in Path("/proc").glob("[0-9]*")
        if (each / "comm").read_text() == "make\n" and (each / "cwd").resolve() == directory
    ]
