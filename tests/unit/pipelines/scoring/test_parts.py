"""How a batch is cut, and cut again after some of its parts were begun."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.scoring.parts import File, Part, Plan

FILES = [File("one", 25, "", {}), File("two", 20, "", {})]


def cut(rows: int) -> Plan:
    return Plan.of("model", "in", "out", FILES, rows, "")


def rows_of(parts: tuple[Part, ...]) -> list[int]:
    return sorted(row for part in parts for row in range(part.offset, part.offset + part.rows))


@given(st.integers(1, 30), st.integers(1, 30), st.data())
def test_every_row_is_in_one_part_however_it_was_cut_before(first: int, then: int, data: st.DataObject) -> None:
    before = cut(first)
    begun = data.draw(st.lists(st.sampled_from(before.parts), unique=True))
    after = cut(then).after(begun)
    assert rows_of(after.parts) == list(range(45))
    assert set(begun) <= set(after.parts)
    assert all(part.rows <= then for part in after.parts if part not in begun)
    assert len({part.number for part in after.parts}) == len(after.parts)
    assert all(part.offset - part.first == (0 if part.file == "one" else 25) for part in after.parts)


def test_what_was_not_begun_is_cut_as_if_there_had_been_nothing() -> None:
    assert cut(10).after([]) == cut(10)
    assert cut(10).after(cut(10).parts).parts == cut(10).parts
