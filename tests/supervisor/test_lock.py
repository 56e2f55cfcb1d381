"""A data directory belongs to one switch at a time."""

import os
import signal
import subprocess
import sys

import pytest

from gateway.supervisor.lock import DataInUse, locked_data

HOLDER = """
import pathlib, signal, sys
from gateway.supervisor.lock import locked_data
with locked_data(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


def test_a_directory_is_free_again_after_its_holder_has_ended(tmp_path):
    with locked_data(tmp_path):
        pass

    with locked_data(tmp_path):
        pass


def test_a_second_switch_is_told_who_has_the_directory_and_what_to_do(tmp_path):
    with (
        locked_data(tmp_path),
        pytest.raises(DataInUse, match=f"process {os.getpid()}\\).*--data DIR"),
        locked_data(tmp_path),
    ):
        pass


def test_a_holder_that_was_killed_does_not_stand_in_the_way(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGKILL)

    with locked_data(tmp_path):
        pass


def test_a_directory_that_is_not_there_yet_is_made(tmp_path):
    """With every secret in the configuration nothing else would have made it."""
    with locked_data(tmp_path / "new" / "data"):
        assert (tmp_path / "new" / "data" / "lock").exists()
