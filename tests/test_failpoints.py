"""A process dies where it is told to, and nowhere else."""

import os
import signal
import subprocess
import sys

import pytest

from gateway.failpoints import FAIL_AT

PASSES = (
    "from gateway.failpoints import passing; [passing(name) for name in 'a b a a'.split()]; print('alive')"
)


@pytest.mark.parametrize("told", ["a", "a:3", "b:1"])
def test_a_process_dies_at_its_point(told):
    done = subprocess.run(
        (sys.executable, "-c", PASSES), env={**os.environ, FAIL_AT: told}, capture_output=True, check=False
    )

    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"")


@pytest.mark.parametrize("told", ["", "c", "a:4"])
def test_other_points_are_passed(told):
    done = subprocess.run(
        (sys.executable, "-c", PASSES), env={**os.environ, FAIL_AT: told}, capture_output=True, check=False
    )

    assert done.stdout == b"alive\n"


def test_of_processes_that_follow_each_other_one_dies(tmp_path):
    armed = tmp_path / "armed"
    armed.write_text("a")

    statuses = [
        subprocess.run(
            (sys.executable, "-c", PASSES),
            env={**os.environ, FAIL_AT: f"@{armed}"},
            capture_output=True,
            check=False,
        ).returncode
        for _ in range(2)
    ]

    assert statuses == [-signal.SIGKILL, 0]
