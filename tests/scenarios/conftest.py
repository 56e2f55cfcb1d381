import contextlib

import pytest

from gateway.testing.processes import Serving


@pytest.fixture
def serve(tmp_path):
    """Start a switch of the test's own; at the end it must have left nothing behind."""
    with contextlib.ExitStack() as running:
        yield lambda **options: running.enter_context(Serving(tmp_path / "switch", **options))


@pytest.fixture(scope="session")
def switch(tmp_path_factory):
    """A switch that scenarios share which leave it as they found it."""
    with Serving(tmp_path_factory.mktemp("shared") / "switch") as serving:
        yield serving
