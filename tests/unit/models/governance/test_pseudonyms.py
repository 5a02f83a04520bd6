"""Who an account is called in what is stored, and that keys can change."""

import hashlib
import hmac
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Misconfigured
from models.governance.pseudonyms import Keyring, masked, split_of
from tests.rings import ACCOUNTS, ring

ids = st.text(min_size=1, max_size=30)
PATTERN = r"^[A-Za-z0-9_-]{1,64}$"


def test_generation_one_is_hmac_sha_256_of_the_id_and_each_later_one_of_the_one_before() -> None:
    one = hmac.new(b"a" * 32, b"A00017", hashlib.sha256).digest()[:16]
    two = hmac.new(b"b" * 32, one, hashlib.sha256).digest()[:16]
    assert ring("a").pseudonym("A00017")[5:] == one.hex()
    assert ring("ab").pseudonym("A00017")[5:] == two.hex()


@given(ids, st.integers(1, 4), st.integers(1, 4))
def test_what_was_stored_before_a_rotation_joins_with_what_is_stored_after_it(account: str, before: int, after: int) -> None:
    letters = "abcd"
    stored, newest = ring(letters[: min(before, after)]), ring(letters[: max(before, after)])
    assert newest.lift(stored.pseudonym(account)) == newest.pseudonym(account)


@given(ids)
def test_what_was_stored_as_it_came_joins_too(account: str) -> None:
    assert ring("ab").lift(account) == ring("ab").pseudonym(account)


def test_a_leaked_old_key_links_nothing_that_is_stored_since() -> None:
    """With k1 and any key of one's own, no value of generation 2 comes out; the split is all that is left, 8 bits."""
    leaked, honest = ring("ax"), ring("ab")
    guessed, stored = leaked.pseudonym("A00017"), honest.pseudonym("A00017")
    assert guessed[5:] != stored[5:]
    assert ring("a").pseudonym("A00017")[5:] not in stored


@given(ids, ids)
def test_a_pseudonym_shows_nothing_of_the_id_but_its_split(one: str, other: str) -> None:
    hidden = ACCOUNTS.pseudonym(one)
    assert len(hidden) == 37
    assert one not in hidden or len(one) < 6
    assert (hidden == ACCOUNTS.pseudonym(other)) == (one == other)


@given(ids)
def test_a_split_never_rotates_and_is_what_the_id_itself_has(account: str) -> None:
    splits = {split_of(ring("abc"[:count]).pseudonym(account)) for count in (1, 2, 3)}
    assert splits == {split_of(account)}


def test_a_split_key_says_who_falls_where() -> None:
    keyed = Keyring(ACCOUNTS.keys, b"k" * 32)
    names = [f"A{number:05d}" for number in range(500)]
    moved = sum(split_of(keyed.pseudonym(name)) != split_of(ACCOUNTS.pseudonym(name)) for name in names)
    assert moved > 450
    rotated = Keyring((*keyed.keys, b"b" * 32), keyed.split)
    assert all(rotated.lift(keyed.pseudonym(name)) == rotated.pseudonym(name) for name in names)


def test_every_split_stands_for_many_accounts() -> None:
    splits = np.bincount([split_of(f"A{number:05d}") for number in range(30_000)], minlength=256)
    assert splits.min() > 75


def test_a_value_of_a_key_that_is_not_known_here_is_not_taken_for_an_id() -> None:
    with pytest.raises(Misconfigured, match="generation 2"):
        ring("a").lift(ring("ab").pseudonym("A00017"))


def test_a_column_of_several_generations_comes_out_in_one() -> None:
    newest = ring("abc")
    mixed = np.array([ring("a").pseudonym("A1"), newest.pseudonym("A2"), ring("ab").pseudonym("A3")])
    assert newest.lifted(mixed).tolist() == newest.pseudonyms(np.array(["A1", "A2", "A3"])).tolist()


def test_a_search_looks_for_an_id_under_every_generation() -> None:
    assert ring("ab").known_as("A1") == [ring("a").pseudonym("A1"), ring("ab").pseudonym("A1")]


@pytest.mark.parametrize(
    ("letters", "split", "account", "pseudonym"),
    [
        ("a", b"", "A00017", "p1_219530056c1940a88c944b6c7526f82024"),
        ("ab", b"", "A00017", "p2_2137db02c5fca0c5bed0b6de9c31f01be0"),
        ("a", b"k" * 32, "\u00c4 1", "p1_b0ea831cc4ef051911b8141130b2ad1518"),
    ],
)
def test_who_was_stored_before_is_called_what_he_was(letters: str, split: bytes, account: str, pseudonym: str) -> None:
    keys = Keyring(ring(letters).keys, split)

    assert keys.pseudonym(account) == pseudonym
    assert replace(keys, remembered=0).pseudonyms(np.array([account])).tolist() == [pseudonym]


@given(st.lists(ids, min_size=1, max_size=5), st.sampled_from(["a", "ab", "abcdefghij"]), st.sampled_from([b"", b"k" * 32]))
def test_a_column_that_is_too_long_to_remember_gets_the_same_pseudonyms(names: list[str], letters: str, split: bytes) -> None:
    keys, accounts = Keyring(ring(letters).keys, split), np.array(names)

    found = replace(keys, remembered=0).pseudonyms(accounts)

    assert found.tolist() == [keys.pseudonym(account) for account in accounts.tolist()]
    assert found.dtype == keys.pseudonyms(accounts).dtype


def test_a_column_longer_than_what_is_made_at_a_time_stays_in_its_order() -> None:
    names = [f"A{number}" for number in range(140_000)]

    found = ACCOUNTS.pseudonyms(np.array(names))

    some = range(0, len(names), 9_973)
    assert [found[place] for place in some] == [ACCOUNTS.pseudonym(names[place]) for place in some]
    assert len(set(found.tolist())) == len(names)


def test_a_broken_key_in_a_long_column_has_its_stand_in_too() -> None:
    keys, names = replace(ACCOUNTS, remembered=0), np.array(["A1", "A 1"])

    assert masked(keys, names, PATTERN).tolist() == masked(ACCOUNTS, names, PATTERN).tolist()


@pytest.mark.parametrize("keys", [(), (b"short",), (b"a" * 32, b"a" * 32)])
def test_a_ring_without_keys_with_a_short_one_or_with_one_twice_is_refused(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(Misconfigured):
        Keyring(keys)


def test_no_message_can_show_a_key() -> None:
    assert "aaaa" not in repr(ACCOUNTS)


def test_a_key_that_breaks_its_pattern_is_as_broken_when_it_is_hidden() -> None:
    hidden = masked(ACCOUNTS, np.array(["A1", "A 1", "A1\n"]), PATTERN).tolist()
    assert hidden[0] == ACCOUNTS.pseudonym("A1")
    assert hidden[1:] == [f"not a key: {ACCOUNTS.pseudonym(name)}" for name in ("A 1", "A1\n")]


def test_a_missing_key_stays_missing_and_one_of_another_type_keeps_its_type() -> None:
    hidden = masked(ACCOUNTS, np.array(["A1", None, 31337], dtype=object), PATTERN).tolist()
    assert hidden[1] is None
    assert isinstance(hidden[2], int)
    assert hidden[2] != 31337


@pytest.mark.parametrize("values", [np.array([31337, 31338, 31337]), np.array([31337.0, 31338.0, 31337.0])])
def test_numbers_delivered_as_keys_stay_numbers_and_show_no_id(values: np.ndarray) -> None:
    hidden = masked(ACCOUNTS, values, PATTERN)
    assert hidden.dtype == values.dtype
    assert not set(hidden.tolist()) & set(values.tolist())
    assert hidden[0] == hidden[2]
    assert hidden[0] != hidden[1]
