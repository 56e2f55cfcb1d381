"""What outlives the children: limits, memory, a socket in a private place."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gateway.supervisor.shared import LEDGER_BYTES, Shared

KILLED = """
import os, signal
from gateway.supervisor.shared import Shared
shared = Shared()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_soft_limit_of_descriptors_is_raised_to_the_hard_one():
    program = """
import resource
from gateway.supervisor.shared import raise_descriptor_limit
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
assert raise_descriptor_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 100
"""

    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_limit_that_cannot_be_raised_is_told_as_it_is():
    program = """
import resource
from gateway.supervisor.shared import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
assert raise_descriptor_limit() == 100
"""

    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_ledger_is_zeros():
    with Shared() as shared:
        assert os.fstat(shared.workers[0].ledger).st_size == LEDGER_BYTES
        assert not any(os.pread(shared.workers[0].ledger, LEDGER_BYTES, 0))


def test_a_long_temporary_directory_does_not_make_the_sockets_path_too_long(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))

    with Shared() as shared:
        assert len(os.fsencode(shared.socket_paths[0])) < 104
        directory = shared.socket_paths[0].parent

    assert not directory.exists()


def test_closing_leaves_no_descriptor():
    before = set(os.listdir("/dev/fd"))

    with Shared():
        pass

    assert set(os.listdir("/dev/fd")) == before


@pytest.fixture
def temporary(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="t") as directory:
        monkeypatch.setattr("tempfile.tempdir", directory)
        yield Path(directory)


def test_every_worker_has_a_ledger_and_a_socket_of_its_own(temporary):
    with Shared(workers=3) as shared:
        assert len({share.ledger for share in shared.workers}) == 3
        assert sorted(path.name for path in shared.socket_paths) == ["media-1", "media-2", "media-3"]


def test_what_a_killed_supervisor_left_is_removed_by_the_next_one(temporary):
    subprocess.run([sys.executable, "-c", KILLED], check=False, env={**os.environ, "TMPDIR": str(temporary)})
    (left,) = temporary.iterdir()

    with Shared():
        assert not left.exists()


def test_what_a_living_supervisor_has_is_left_alone(temporary):
    with Shared() as living, Shared():
        assert living.socket_paths[0].exists()


@pytest.mark.parametrize("name", ["media-1", "notes"])
def test_a_directory_of_somebody_else_with_such_a_name_is_left_alone(temporary, name):
    (temporary / "tandem-mine").mkdir()
    (temporary / "tandem-mine" / name).write_text("dear diary")

    with Shared():
        assert (temporary / "tandem-mine" / name).exists()
