"""The rows of two tables with one key: the same as a join by the texts themselves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.common_keys import common

texts = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=3), min_size=1, max_size=12
)
ALIKE = "\u0400\u0417\u0400\u049e\u043f\u0400\u0400\u0400", "\u0461\u0400\u0400\u0400\u0400\u0410\u0449\u048e"
"""Two texts of which the same number is made, found by reducing a lattice."""


@given(texts, texts)
def test_the_first_rows_of_every_common_key_are_found(one: list[str], other: list[str]) -> None:
    here, there = common(np.array(one), np.array(other))

    pairs = {(one.index(key), other.index(key)) for key in set(one) & set(other)}
    assert set(zip(here.tolist(), there.tolist(), strict=True)) == pairs


def test_two_texts_of_one_number_are_told_apart() -> None:
    one, other = (np.array([text]) for text in ALIKE)

    assert [len(rows) for rows in common(one, other)] == [0, 0]
    assert [rows.tolist() for rows in common(np.array(ALIKE), other)] == [[1], [0]]


def test_tables_of_many_rows_are_joined_part_by_part() -> None:
    keys = np.array([f"A{number}" for number in range(70_000)])

    here, there = common(keys, keys[::-1])

    assert sorted(here.tolist()) == list(range(70_000))
    assert (here + there == 69_999).all()
