"""Keys of pseudonyms on disk."""

import shutil
import tracemalloc
from pathlib import Path

import pytest

from models.adapters.account_keys import ACCOUNTS, AUDIT, FEW, LOG, LatestKeyring, keyring, keyring_of, rotate, secret_keys
from models.errors import Conflict, Misconfigured


def mounted(home: Path, letter: bytes) -> Path:
    path = home / "keys" / ACCOUNTS / "split.key"
    path.write_bytes(letter * 32)
    return path


def test_a_laptop_makes_its_key_on_first_use_for_its_owner_alone(tmp_path: Path) -> None:
    first, again = keyring(tmp_path / "keys", ACCOUNTS, local=True), keyring(tmp_path / "keys", ACCOUNTS, local=True)
    assert first == again
    assert (tmp_path / "keys" / ACCOUNTS / "0001.key").stat().st_mode & 0o777 == 0o600


def test_audit_columns_have_keys_of_their_own(tmp_path: Path) -> None:
    accounts, audit = (keyring(tmp_path / "keys", name, local=True) for name in (ACCOUNTS, AUDIT))
    assert not set(accounts.keys) & set(audit.keys)


def test_anywhere_else_no_key_is_made(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="there is none") as error:
        keyring(tmp_path / "keys", ACCOUNTS, local=False)
    assert "mount" in error.value.hint
    assert not list(tmp_path.iterdir())


def test_anywhere_else_the_split_needs_its_key(tmp_path: Path) -> None:
    keyring(tmp_path / "keys", ACCOUNTS, local=True)
    with pytest.raises(Misconfigured, match=r"there is no .*split\.key"):
        keyring_of(tmp_path, ACCOUNTS, local=False)
    mounted(tmp_path, b"s")
    assert keyring_of(tmp_path, ACCOUNTS, local=False).split == b"s" * 32


def test_a_rotation_adds_a_key_and_keeps_the_others(tmp_path: Path) -> None:
    before = keyring(tmp_path / "keys", ACCOUNTS, local=True)
    assert rotate(tmp_path / "keys", ACCOUNTS, local=True) == 2
    after = keyring(tmp_path / "keys", ACCOUNTS, local=True)
    assert after.keys[:1] == before.keys
    assert after.lift(before.pseudonym("A1")) == after.pseudonym("A1")
    assert (tmp_path / "keys" / ACCOUNTS / "0002.key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_was_taken_away_is_missed(tmp_path: Path) -> None:
    for _ in range(2):
        rotate(tmp_path / "keys", ACCOUNTS, local=True)
    (tmp_path / "keys" / ACCOUNTS / "0002.key").unlink()
    with pytest.raises(Misconfigured, match=r"0001\.key, 0003\.key"):
        keyring(tmp_path / "keys", ACCOUNTS, local=True)


def test_of_two_rotations_at_once_each_adds_its_own_generation_or_fails(tmp_path: Path) -> None:
    keyring(tmp_path / "keys", ACCOUNTS, local=True)
    theirs = tmp_path / "keys" / ACCOUNTS / "0002.key"
    theirs.symlink_to(tmp_path / "nowhere")  # somebody's, of which this process knows nothing yet
    with pytest.raises((Conflict, Misconfigured)):
        rotate(tmp_path / "keys", ACCOUNTS, local=True)
    assert theirs.is_symlink()


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_split_key_that_was_cut_off_is_refused(tmp_path: Path, length: int, local: bool) -> None:
    keyring(tmp_path / "keys", ACCOUNTS, local=True)
    (tmp_path / "keys" / ACCOUNTS / "split.key").write_bytes(b"s" * length)
    with pytest.raises(Misconfigured, match=rf"split\.key has {length} bytes, not 32"):
        keyring(tmp_path / "keys", ACCOUNTS, local=local)


@pytest.mark.parametrize("local", [True, False])
def test_a_split_key_that_comes_later_is_refused_as_nothing_of_before_would_be_found(tmp_path: Path, local: bool) -> None:
    before = keyring_of(tmp_path, ACCOUNTS, local=True)
    key = mounted(tmp_path, b"s")
    with pytest.raises(Misconfigured, match=r"began without a split\.key") as error:
        keyring_of(tmp_path, ACCOUNTS, local=local)
    assert "begin in a new home" in error.value.hint
    key.unlink()
    assert keyring_of(tmp_path, ACCOUNTS, local=local) == before, "such a home goes on without, in every profile"


def test_another_split_key_and_none_are_refused_where_there_was_one(tmp_path: Path) -> None:
    keyring(tmp_path / "keys", ACCOUNTS, local=True)
    key = mounted(tmp_path, b"s")
    before = keyring_of(tmp_path, ACCOUNTS, local=False)
    mounted(tmp_path, b"t")
    with pytest.raises(Misconfigured, match=r"began with another split\.key") as error:
        keyring_of(tmp_path, ACCOUNTS, local=False)
    assert "backup" in error.value.hint
    key.unlink()
    for local in (True, False):
        with pytest.raises(Misconfigured, match=r"no account of before|there is no .*split\.key"):
            keyring_of(tmp_path, ACCOUNTS, local=local)
    mounted(tmp_path, b"s")
    rotate(tmp_path / "keys", ACCOUNTS, local=False)
    assert keyring_of(tmp_path, ACCOUNTS, local=False).split == before.split


def test_a_running_process_does_not_take_another_split_over_with_a_rotation(tmp_path: Path) -> None:
    running = LatestKeyring(tmp_path, ACCOUNTS, local=True)
    mounted(tmp_path, b"s")
    rotate(tmp_path / "keys", ACCOUNTS, local=True)
    with pytest.raises(Misconfigured, match="began without"):
        running.renew()


def test_what_a_home_notes_of_its_split_key_is_not_the_key(tmp_path: Path) -> None:
    keyring(tmp_path / "keys", ACCOUNTS, local=True)
    key = mounted(tmp_path, b"s")
    keyring_of(tmp_path, ACCOUNTS, local=False)
    noted = (tmp_path / "splits" / ACCOUNTS).read_text()
    assert key.read_bytes().hex() not in noted
    assert len(noted) == 32


def test_a_running_process_meets_a_rotation(tmp_path: Path) -> None:
    running = LatestKeyring(tmp_path, ACCOUNTS, local=True)
    before = running.pseudonym("A1")
    assert running.renew() is False
    rotate(tmp_path / "keys", ACCOUNTS, local=True)
    assert running.pseudonym("A1") == before
    assert running.renew() is True
    assert running.pseudonym("A1") == keyring_of(tmp_path, ACCOUNTS, local=True).pseudonym("A1") != before
    assert running.known_as("A1") == [before, running.pseudonym("A1")]


def test_a_running_process_does_not_grow_with_the_accounts_that_it_meets(tmp_path: Path) -> None:
    running = LatestKeyring(tmp_path, ACCOUNTS, local=True)
    for _ in range(2):
        tracemalloc.start()
        for number in range(FEW):
            running.pseudonym(f"A{number}")
        before, _ = tracemalloc.get_traced_memory()
        for number in range(FEW, 5 * FEW):
            running.pseudonym(f"A{number}")
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert after < 1.2 * before
        rotate(tmp_path / "keys", ACCOUNTS, local=True)
        assert running.renew() is True


def test_a_rotation_that_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    running = LatestKeyring(tmp_path, ACCOUNTS, local=True)
    before = running.pseudonym("A1")
    (tmp_path / "keys" / ACCOUNTS / "0003.key").write_bytes(b"x" * 32)
    with pytest.raises(Misconfigured):
        running.renew()
    assert running.pseudonym("A1") == before


def test_keys_that_others_may_read_are_closed(tmp_path: Path) -> None:
    for name in (ACCOUNTS, LOG):
        secret_keys(tmp_path / "keys", name, local=True)
        folder, key = tmp_path / "keys" / name, tmp_path / "keys" / name / "0001.key"
        folder.chmod(0o755)
        key.chmod(0o644)
        secret_keys(tmp_path / "keys", name, local=False)
        assert (folder.stat().st_mode & 0o777, key.stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_key_of_another_length_is_none(tmp_path: Path) -> None:
    secret_keys(tmp_path / "keys", LOG, local=True)
    (tmp_path / "keys" / LOG / "0001.key").write_bytes(b"short")
    with pytest.raises(Misconfigured, match="32 bytes"):
        secret_keys(tmp_path / "keys", LOG, local=True)


@pytest.mark.parametrize("ring", [ACCOUNTS, AUDIT, LOG])
def test_a_key_that_was_lost_is_not_made_anew_and_one_that_was_exchanged_is_refused(tmp_path: Path, ring: str) -> None:
    (kept,) = secret_keys(tmp_path / "keys", ring, local=True)
    path = tmp_path / "keys" / ring / "0001.key"
    path.unlink()
    with pytest.raises(Misconfigured, match="there is none of 1"):
        secret_keys(tmp_path / "keys", ring, local=True)
    assert not path.exists()
    path.write_bytes(b"o" * 32)
    for noting in (True, False):
        with pytest.raises(Misconfigured, match=r"0001\.key is not the key that this home has used"):
            secret_keys(tmp_path / "keys", ring, local=True, noting=noting)
    path.write_bytes(kept)
    assert secret_keys(tmp_path / "keys", ring, local=True) == (kept,)


def test_the_newest_generation_is_missed_too(tmp_path: Path) -> None:
    rotate(tmp_path / "keys", ACCOUNTS, local=True)
    (tmp_path / "keys" / ACCOUNTS / "0002.key").unlink()
    with pytest.raises(Misconfigured, match=r"0001\.key of 2"):
        secret_keys(tmp_path / "keys", ACCOUNTS, local=True)


def test_a_home_that_noted_no_key_yet_but_has_stored_accounts_gets_none(tmp_path: Path) -> None:
    """One of an earlier release."""
    keyring_of(tmp_path, ACCOUNTS, local=True)
    shutil.rmtree(tmp_path / "prints")
    (tmp_path / "keys" / ACCOUNTS / "0001.key").unlink()
    with pytest.raises(Misconfigured, match="there is none"):
        keyring_of(tmp_path, ACCOUNTS, local=True)


def test_who_only_looks_notes_nothing(tmp_path: Path) -> None:
    secret_keys(tmp_path / "keys", LOG, local=True)
    shutil.rmtree(tmp_path / "prints")
    secret_keys(tmp_path / "keys", LOG, local=False, noting=False)
    assert not (tmp_path / "prints").exists()


def test_what_a_home_notes_of_a_key_is_not_the_key(tmp_path: Path) -> None:
    (key,) = secret_keys(tmp_path / "keys", ACCOUNTS, local=True)
    assert (tmp_path / "prints" / ACCOUNTS / "0001").read_text() not in key.hex()
    assert key.hex() not in (tmp_path / "prints" / ACCOUNTS / "0001").read_text()
