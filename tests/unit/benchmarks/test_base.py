"""The comparison with another commit tells a slower service from noise."""

import pytest

from tests.benchmarks.base import FIGURES, Measured, in_turns, read, report

TABLE = """1 rounds, 3 s a measurement.

| server | p50, 1 client | 16 clients | p99 | requests/s | batch of 1,000 | cold start | memory |
|---|---|---|---|---|---|---|---|
| Steward | 0.82 ms (0 to 1) | 2.84 ms (2 to 3) | 7 ms (7 to 7) | 4,835 (4,835 to 4,835) |  | 1 s (1 to 1) | 102 MB (9 to 9)|
"""


def measured(factor: float = 1.0) -> Measured:
    return {"16 clients": 2.0 * factor, "requests/s": 1_000.0 / factor}


def test_the_figures_are_read_from_the_table_of_the_benchmark() -> None:
    found = read(TABLE)
    assert found["requests/s"] == 4_835
    assert found.keys() == set(FIGURES) - {"batch of 1,000"}
    with pytest.raises(ValueError, match="no table"):
        read("it broke")


def test_both_are_measured_in_every_round_and_who_is_first_changes() -> None:
    order: list[str] = []

    def side(name: str) -> Measured:
        order.append(name)
        return measured()

    in_turns(3, lambda: side("here"), lambda: side("there"))
    assert order == ["there", "here", "here", "there", "there", "here"]


def test_slower_in_every_round_fails_and_in_one_does_not() -> None:
    lines, worse = report([(measured(1.3), measured()), (measured(1.2), measured())], limit=1.15)
    assert worse == ["16 clients", "requests/s"]
    assert "1.250 (1.200 to 1.300)" in lines[2]
    assert report([(measured(1.3), measured()), (measured(), measured())], limit=1.15)[1] == []
