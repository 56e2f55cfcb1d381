"""What outlives the children: limits, memory, a socket in a private place."""

import os
import subprocess
import sys

from gateway.supervisor.shared import LEDGER_BYTES, Shared


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
        assert os.fstat(shared.ledger).st_size == LEDGER_BYTES
        assert not any(os.pread(shared.ledger, LEDGER_BYTES, 0))


def test_a_long_temporary_directory_does_not_make_the_sockets_path_too_long(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))

    with Shared() as shared:
        assert len(os.fsencode(shared.socket_path)) < 104
        directory = shared.socket_path.parent

    assert not directory.exists()


def test_closing_leaves_no_descriptor():
    before = set(os.listdir("/dev/fd"))

    with Shared():
        pass

    assert set(os.listdir("/dev/fd")) == before
