"""The content digest: the same for the same content however it is held, another for any other content."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.lake import column_digest, content_digest

texts = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6), max_size=8)
integers = st.lists(st.integers(-(2**31), 2**31 - 1), max_size=8)


@given(texts, texts)
def test_texts_have_equal_digests_only_if_they_are_equal(one: list[str], other: list[str]) -> None:
    digests = [column_digest(np.array(values, dtype=np.str_)) for values in (one, other)]

    assert (digests[0] == digests[1]) == (one == other)


@given(integers, integers)
def test_integers_have_equal_digests_only_if_they_are_equal(one: list[int], other: list[int]) -> None:
    digests = [column_digest(np.array(values, dtype=np.int64)) for values in (one, other)]

    assert (digests[0] == digests[1]) == (one == other)


@given(integers)
def test_how_wide_a_number_is_held_does_not_count(values: list[int]) -> None:
    assert column_digest(np.array(values, dtype=np.int32)) == column_digest(np.array(values, dtype=np.int64))


def test_how_wide_a_text_is_held_does_not_count() -> None:
    assert column_digest(np.array(["a", "b"], dtype="U1")) == column_digest(np.array(["a", "b"], dtype="U64"))


def test_where_one_text_ends_and_the_next_begins_counts() -> None:
    assert column_digest(np.array(["ab", "c"])) != column_digest(np.array(["a", "bc"]))


def test_the_type_counts() -> None:
    digests = {column_digest(np.array(values)) for values in ([0, 1], [0.0, 1.0], [False, True], ["0", "1"])}

    assert len(digests) == 4


def test_the_names_and_the_order_of_rows_count_but_not_the_order_of_columns() -> None:
    a, b = np.array([1, 2]), np.array([3, 4])

    assert content_digest({"a": a, "b": b}) == content_digest({"b": b, "a": a})
    assert content_digest({"a": a, "b": b}) != content_digest({"a": b, "b": a})
    assert content_digest({"a": a}) != content_digest({"a": a[::-1]})


def test_a_broken_batch_has_a_digest_too() -> None:
    assert column_digest(np.array([1, None], dtype=object)) != column_digest(np.array([1, "None"], dtype=object))
    assert content_digest({}) == content_digest({})
