"""A key opens what it sealed, where it sealed it, and nothing else."""

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigError
from gateway.store.vault import Vault

PLACE = "users/alice"


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path / "store.key")
    made.make()
    return made


@given(text=st.text(st.characters(codec=None), max_size=100))
def test_what_was_sealed_is_opened(tmp_path_factory, text):
    vault = Vault(tmp_path_factory.getbasetemp() / "any.key")
    vault.make()

    assert vault.open(vault.seal(text, PLACE), PLACE) == text


def test_the_same_text_is_sealed_otherwise_each_time(vault):
    assert vault.seal("secret", PLACE) != vault.seal("secret", PLACE)


def test_what_was_moved_to_another_place_is_not_opened(vault):
    sealed = vault.seal("secret", PLACE)

    with pytest.raises(ConfigError, match="has not the key"):
        vault.open(sealed, "users/bob")


@pytest.mark.parametrize("sealed", ["", "secret", "c2VjcmV0", "é"])
def test_what_was_never_sealed_is_not_opened(vault, sealed):
    with pytest.raises(ConfigError, match="has not the key"):
        vault.open(sealed, PLACE)


def test_only_its_owner_reads_the_file(vault):
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600


def test_of_two_who_start_together_both_have_the_first_ones_key(vault):
    second = Vault(vault.path)
    second.make()

    assert second.open(vault.seal("secret", PLACE), PLACE) == "secret"


def test_a_new_key_seals_and_the_old_one_opens(vault):
    before = vault.seal("old", PLACE)
    vault.renew()
    after = vault.seal("new", PLACE)

    assert (vault.open(before, PLACE), vault.open(after, PLACE)) == ("old", "new")
    assert (vault.is_newest(before, PLACE), vault.is_newest(after, PLACE)) == (False, True)


def test_a_key_that_another_process_drew_is_read_when_it_is_needed(vault):
    vault.seal("anything", PLACE)
    shell = Vault(vault.path)
    shell.renew()

    assert vault.open(shell.seal("secret", PLACE), PLACE) == "secret"


def test_the_key_before_the_last_is_gone(vault):
    sealed = vault.seal("secret", PLACE)
    vault.renew()
    vault.renew()

    with pytest.raises(ConfigError, match="has not the key"):
        Vault(vault.path).open(sealed, PLACE)


def test_a_file_that_is_gone_leaves_the_keys_that_are_known(vault):
    sealed = vault.seal("secret", PLACE)
    vault.path.unlink()

    assert vault.open(sealed, PLACE) == "secret"
    assert vault.open(vault.seal("other", PLACE), PLACE) == "other"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "No such file"),
        (b"# nothing\n", "holds no key"),
        (b"c2hvcnQ=\n", "is no key"),
        (b"\xff", "is no text"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path, written, said):
    path = tmp_path / "store.key"
    if written is not None:
        path.write_bytes(written)

    with pytest.raises(ConfigError, match=said) as refused:
        Vault(path).seal("secret", PLACE)

    assert str(path) in str(refused.value)
