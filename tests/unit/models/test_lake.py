"""The content digest: the same for the same content however it is held, another for any other content."""

import hashlib
from typing import Any

import numpy as np
import pytest
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


@pytest.mark.parametrize(
    ("values", "digest"),
    [
        (["A00001", "\u00c4-22", "", "\U0001f600"], "text:a761fe31cd2179ccc971ec3be37843491cc314eaab07dcecc50b235bde5d4a3c"),
        ([-2, 0, 2**40], "integer:7c436ff0cce7f8fad9d32d4d78f243aac58c5f172cff38021c319094646924f9"),
        ([1.5, -0.0, float("nan")], "number:12345980d88077d799abfce12ed5f7548f7d17d808119d6bc225e151cd132759"),
        ([True, False], "boolean:cf05e651035f1b5bbfb954da3d6c9216b415567c08cedded35c0eb44d736c2f4"),
        (["A1", None, 7, 1.5], "untyped:57a7bd18d14efaea50e7adbfb1038eac5e04f635250422efcfc4532912f0912b"),
    ],
)
def test_what_was_stored_before_has_the_digest_that_it_had(values: list[Any], digest: str) -> None:
    assert column_digest(np.array(values, dtype=object if None in values else None)) == digest


def test_a_digest_is_of_all_values_together_however_many() -> None:
    texts = [f"\u00c4{number}" for number in range(150_000)]
    untyped = np.array([None, *texts[1:]], dtype=object)
    numbers = np.arange(150_000)

    assert column_digest(np.array(texts)) == f"text:{hashed('text', *forms(texts))}"
    assert column_digest(untyped) == f"untyped:{hashed('untyped', *forms([repr(value) for value in untyped]))}"
    assert column_digest(numbers) == f"integer:{hashed('integer', numbers.astype('<i8').tobytes())}"


def forms(texts: list[str]) -> tuple[bytes, bytes]:
    return np.array([len(text) for text in texts], dtype="<i8").tobytes(), "".join(texts).encode()


def hashed(kind: str, *parts: bytes) -> str:
    return hashlib.sha256(f"{kind}:150000:".encode() + b"".join(parts)).hexdigest()
