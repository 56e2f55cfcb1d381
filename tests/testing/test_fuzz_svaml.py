"""What SVAML is fuzzed with is SVAML."""

import pytest

from gateway.testing.fuzz.documents import read_svaml, svaml_corpus


@pytest.mark.parametrize("data", svaml_corpus())
def test_an_input_to_be_mutated_is_understood(data):
    assert read_svaml(data)[1] != b""


def test_an_input_that_is_nothing_comes_to_nothing():
    assert read_svaml(b"{") == (1, b"")
