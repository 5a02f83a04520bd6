"""What every counter of decisions must do, the fake one too: exactly what the reference's own counting does."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow.parquet as pq
import pytest

from models import reference
from models.adapters.parquet_lake import ParquetLake, lake_at
from models.clock import Month
from models.errors import Integrity, NotFound
from models.governance.explanation.reasons import Reason
from models.lake import Lake, PartitionVersion
from models.policy import Condition, Segment
from models.reference import matching
from monitoring.adapters import duckdb_statistics
from monitoring.adapters.duckdb_statistics import DuckdbStatistics
from monitoring.adapters.spark_statistics import SparkStatistics
from monitoring.decisions import spelled
from monitoring.drift import Statistics
from monitoring.outcomes.estimation import sketch
from tests import sparks
from tests.fakes.lake import InMemoryLake
from tests.fakes.statistics import ArrayStatistics

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)
BINNINGS: dict[str, Any] = {
    "bill": {"edges": [-5.0, 0.0, 0.1, 1_000.0]},
    "status": {"codes": [-2, 0, 1, 9]},
    "action": {"codes": ["keep", "reduce", "review"]},
    "constant": {"edges": []},
}
NOTHING_OWED = (Condition(column="status", comparison="==", value=-2), Condition(column="bill", comparison="<=", value=0.0))


def decisions(rows: int = 5_000, seed: int = 0) -> dict[str, np.ndarray]:
    """Many values lie exactly on an edge, and some codes were never seen."""
    rng = np.random.default_rng(seed)
    bill = rng.choice([-5.0, -5.000001, 0.0, -0.0, 0.1, 0.30000000000000004 - 0.2, 999.99, 1_000.0, 1e12], rows)
    return {
        "account": np.array([f"A{number:06d}" for number in rng.permutation(rows)]),
        "bundle": rng.choice(["a" * 64, "b" * 64], rows, p=[0.9, 0.1]),
        "bill": bill,
        "status": rng.choice([-2, -1, 0, 1, 9, 42], rows),
        "action": rng.choice(["keep", "review", "reduce", "ponder"], rows),
        "constant": np.ones(rows),
    }


@pytest.fixture(scope="module")
def spark(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """On a cluster. Begun when the store is there: executors are told of it at the start."""
    sparks.skip_without()
    spill = tmp_path_factory.mktemp("spill")
    with sparks.cluster(spill / "cluster") as master, sparks.running(spill, master) as begun:
        yield begun


@pytest.fixture(params=["arrays", "duckdb", "spark", "duckdb on a bucket", "spark on a bucket"])
def lake_and_statistics(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Lake, Statistics]:
    if request.param == "arrays":
        memory = InMemoryLake()
        return memory, ArrayStatistics(memory)
    in_a_bucket = "bucket" in request.param
    lake = lake_at(f"{request.getfixturevalue('store')}/{uuid4().hex}" if in_a_bucket else tmp_path / "lake")
    return lake, made(request, lake)


@pytest.fixture(params=["duckdb", "spark"])
def over(request: pytest.FixtureRequest) -> Callable[[Lake], Statistics]:
    """What reads the lake's files past the lake."""
    return lambda lake: made(request, lake)


def made(request: pytest.FixtureRequest, lake: Lake) -> Statistics:
    if "spark" in request.param:
        return SparkStatistics(lake, request.getfixturevalue("spark"))
    return DuckdbStatistics(lake, threads=1)


@pytest.fixture
def sealed(lake_and_statistics: tuple[Lake, Statistics]) -> PartitionVersion:
    return lake_and_statistics[0].write("decisions", Month(2005, 8), decisions(), recorded_at=NOON)


def test_counts_equal_the_references_own_for_every_bundle(
    lake_and_statistics: tuple[Lake, Statistics], sealed: PartitionVersion
) -> None:
    found = lake_and_statistics[1].counts(sealed, BINNINGS, by="bundle")

    rows = decisions()
    assert sorted(found) == ["a" * 64, "b" * 64]
    for bundle, counts in found.items():
        for name, binning in BINNINGS.items():
            expected = reference.counts(binning, rows[name][rows["bundle"] == bundle])
            np.testing.assert_array_equal(counts[name], expected, err_msg=name)


SEGMENTS = {
    "calm": Segment(when=(Condition(column="status", comparison="<=", value=0),), unless=NOTHING_OWED),
    "nothing owed": Segment(when=NOTHING_OWED),
    "nobody": Segment(when=(Condition(column="bill", comparison=">=", value=1e300),)),
}


def test_each_segment_is_counted_as_the_reference_counts_it(
    lake_and_statistics: tuple[Lake, Statistics], sealed: PartitionVersion
) -> None:
    found = lake_and_statistics[1].tally(sealed, BINNINGS, SEGMENTS, where=("bundle", "a" * 64))

    rows = {name: values[decisions()["bundle"] == "a" * 64] for name, values in decisions().items()}
    inside = {"": np.ones(len(rows["bill"]), dtype=bool)} | {name: matching(part, rows) for name, part in SEGMENTS.items()}
    assert {name: int(chosen.sum()) > 0 for name, chosen in inside.items()}["nobody"] is False
    for name, chosen in inside.items():
        for key, binning in BINNINGS.items():
            np.testing.assert_array_equal(found[name][key], reference.counts(binning, rows[key][chosen]), err_msg=f"{name} {key}")


def test_scores_are_summed_up_by_bin_for_each_segment(lake_and_statistics: tuple[Lake, Statistics]) -> None:
    lake, statistics = lake_and_statistics
    scores = np.random.default_rng(0).beta(1, 6, 5_000).round(9)
    scores[:7] = [0.0, 1.0, 0.9999, 0.1, np.nan, 1.1, -0.1]
    sealed = lake.write("decisions", Month(2005, 8), decisions() | {"probability": scores}, recorded_at=NOON)
    found = statistics.scored(sealed, SEGMENTS, where=("bundle", "a" * 64))
    own = decisions()["bundle"] == "a" * 64
    np.testing.assert_allclose(found[""], sketch(scores[own]), atol=1e-9)
    for name, segment in SEGMENTS.items():
        np.testing.assert_allclose(found[name], sketch(scores[own & matching(segment, decisions())]), atol=1e-9)


def test_the_first_of_several_reasons_is_counted_and_an_unknown_one_is_last(lake_and_statistics: tuple[Lake, Statistics]) -> None:
    lake, statistics = lake_and_statistics
    told = [[], ["R1", "R2"], ["R2", "R1"], ["R2"], ["R9", "R1"]]
    texts = [spelled([Reason(code, "group", 'says "code": "R5"', 0.1) for code in codes]) for codes in told]
    columns = {"reasons": np.array(texts), "bundle": np.full(len(told), "a")}
    sealed = lake.write("decisions", Month(2005, 8), columns, recorded_at=NOON)
    found = statistics.tally(sealed, {"reasons": {"firsts": ["R1", "R2", "R3"]}}, {}, where=("bundle", "a"))
    assert found[""]["reasons"].tolist() == [1, 2, 0, 1]


def test_no_row_is_lost(lake_and_statistics: tuple[Lake, Statistics], sealed: PartitionVersion) -> None:
    found = lake_and_statistics[1].counts(sealed, BINNINGS, by="bundle")
    for name in BINNINGS:
        assert sum(counts[name].sum() for counts in found.values()) == sealed.rows


def test_values_that_are_not_numbers_count_in_the_last_bin(lake_and_statistics: tuple[Lake, Statistics]) -> None:
    lake, statistics = lake_and_statistics
    bill = np.array([np.nan, -np.inf, np.inf, -6.0, np.nan, 0.1])
    sealed = lake.write("decisions", Month(2005, 8), {"bill": bill, "bundle": np.full(6, "a")}, recorded_at=NOON)
    assert statistics.counts(sealed, {"bill": BINNINGS["bill"]}, by="bundle")["a"]["bill"].tolist() == [2, 0, 0, 1, 3]
    beyond = statistics.counts(sealed, {"bill": {"edges": [-5.0, np.inf]}}, by="bundle")
    assert beyond["a"]["bill"].tolist() == [2, 1, 3]


def test_a_sample_is_the_same_every_time_and_in_every_month(
    lake_and_statistics: tuple[Lake, Statistics], sealed: PartitionVersion
) -> None:
    lake, statistics = lake_and_statistics
    next_month = lake.write("decisions", Month(2005, 9), decisions(seed=1), recorded_at=NOON)
    names = ["account", "bill"]

    one, again, later = (statistics.sample(part, names, 500, key="account") for part in (sealed, sealed, next_month))

    assert list(one) == names
    np.testing.assert_array_equal(one["bill"], again["bill"])
    np.testing.assert_array_equal(one["account"], later["account"])
    assert len(set(one["account"])) == 500


def test_a_sample_keeps_rows_whole(lake_and_statistics: tuple[Lake, Statistics], sealed: PartitionVersion) -> None:
    drawn, rows = lake_and_statistics[1].sample(sealed, ["account", "bill", "status"], 200, key="account"), decisions()
    place = {account: row for row, account in enumerate(rows["account"])}
    for account, bill, status in zip(drawn["account"], drawn["bill"], drawn["status"], strict=True):
        assert (bill, status) == (rows["bill"][place[account]], rows["status"][place[account]])


def test_a_sample_may_be_of_one_bundle_and_never_exceeds_it(
    lake_and_statistics: tuple[Lake, Statistics], sealed: PartitionVersion
) -> None:
    drawn = lake_and_statistics[1].sample(sealed, ["bundle"], 5_000, key="account", where=("bundle", "b" * 64))
    assert set(drawn["bundle"]) == {"b" * 64}
    assert len(drawn["bundle"]) == np.sum(decisions()["bundle"] == "b" * 64)


def test_row_groups_add_up(over: Callable[[Lake], Statistics], tmp_path: Path) -> None:
    """Digests are over values: the same rows may lie in many row groups, which several executors count."""
    lake, scores = ParquetLake(tmp_path / "lake"), {"probability": np.random.default_rng(0).beta(1, 6, 5_000)}
    sealed = lake.write("decisions", Month(2005, 8), decisions() | scores, recorded_at=NOON)
    pq.write_table(pq.read_table(lake.path(sealed)), lake.path(sealed), row_group_size=700)
    statistics, own = over(lake), decisions()["bundle"] == "a" * 64

    tallied = statistics.tally(sealed, BINNINGS, {}, where=("bundle", "a" * 64))[""]
    scored = statistics.scored(sealed, {}, where=("bundle", "a" * 64))[""]

    for name, binning in BINNINGS.items():
        np.testing.assert_array_equal(tallied[name], reference.counts(binning, decisions()[name][own]), err_msg=name)
    np.testing.assert_allclose(scored, sketch(scores["probability"][own]), atol=1e-9)
    assert sum(statistics.distinct(sealed, "account", by="bundle").values()) == 5_000


def test_a_file_that_is_gone_is_named(over: Callable[[Lake], Statistics], tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path / "lake")
    sealed = lake.write("decisions", Month(2005, 8), decisions(10), recorded_at=NOON)
    lake.path(sealed).unlink()
    with pytest.raises(NotFound, match="month=2005-08/v0001"):
        over(lake).counts(sealed, BINNINGS, by="bundle")


def test_of_every_flipped_byte_either_nothing_comes_of_it_or_the_file_is_named(tmp_path: Path) -> None:
    """Any bit of any column's values is caught; some bytes of a Parquet file, such as paddings, mean nothing.

    Columns are checked by the same code for every engine: one is asked.
    """
    lake = ParquetLake(tmp_path / "lake")
    sealed = lake.write("decisions", Month(2005, 8), decisions(500), recorded_at=NOON)
    path = lake.path(sealed)
    whole = path.read_bytes()
    statistics = DuckdbStatistics(lake, threads=1)
    right, caught = statistics.counts(sealed, BINNINGS, by="bundle"), 0
    for place in range(4, len(whole), len(whole) // 60):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            found = statistics.counts(sealed, BINNINGS, by="bundle")
        except Integrity as error:
            caught += str(path) in error.problem
        else:
            for bundle, counts in right.items():
                for name, expected in counts.items():
                    np.testing.assert_array_equal(found[bundle][name], expected)
    assert caught > 20


def test_a_file_that_is_changed_after_it_was_read_is_checked_again(over: Callable[[Lake], Statistics], tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path / "lake")
    sealed = lake.write("decisions", Month(2005, 8), decisions(500), recorded_at=NOON)
    other = lake.write("other", Month(2005, 8), decisions(500, seed=1), recorded_at=NOON)
    statistics = over(lake)
    statistics.counts(sealed, BINNINGS, by="bundle")
    lake.path(sealed).write_bytes(lake.path(other).read_bytes())
    for ask in (
        lambda: statistics.counts(sealed, BINNINGS, by="bundle"),
        lambda: statistics.sample(sealed, ["bill"], 5, key="account"),
    ):
        with pytest.raises(Integrity, match=r"v0001\.parquet is damaged"):
            ask()


def test_an_unchanged_file_is_checked_once(over: Callable[[Lake], Statistics], tmp_path: Path) -> None:
    class Counting(ParquetLake):
        reads = 0

        def check(self, partition: PartitionVersion, names: Sequence[str]) -> None:
            self.reads += len(names)
            super().check(partition, names)

    lake = Counting(tmp_path / "lake")
    sealed = lake.write("decisions", Month(2005, 8), decisions(500), recorded_at=NOON)
    statistics = over(lake)
    for _ in range(3):
        statistics.counts(sealed, BINNINGS, by="bundle")
        statistics.sample(sealed, ["bill"], 5, key="account", where=("bundle", "a" * 64))
    assert lake.reads == len({"bundle", "account", *BINNINGS})


def test_every_engine_draws_the_same_rows(tmp_path: Path, spark: Any) -> None:
    lake = ParquetLake(tmp_path / "lake")
    sealed = lake.write("decisions", Month(2005, 8), decisions(), recorded_at=NOON)
    in_memory = InMemoryLake()
    same = in_memory.write("decisions", Month(2005, 8), decisions(), recorded_at=NOON)
    drawn = [
        statistics.sample(part, ["account", "bill", "status"], 500, key="account", where=("bundle", "a" * 64))
        for statistics, part in (
            (ArrayStatistics(in_memory), same),
            (DuckdbStatistics(lake), sealed),
            (SparkStatistics(lake, spark), sealed),
        )
    ]
    for other in drawn[1:]:
        for name, values in drawn[0].items():
            np.testing.assert_array_equal(other[name], values)


def test_accounts_decided_on_twice_are_counted_once_for_each_bundle(lake_and_statistics: tuple[Lake, Statistics]) -> None:
    lake, statistics = lake_and_statistics
    columns = {"account": np.array(["A1", "A2", "A1", "A1"]), "bundle": np.array(["a", "a", "a", "b"])}
    sealed = lake.write("decisions", Month(2005, 8), columns, recorded_at=NOON)
    assert statistics.distinct(sealed, "account", by="bundle") == {"a": 2, "b": 1}


def test_the_module_does_not_keep_duckdb_which_could_not_be_unloaded_at_the_end_of_a_flow() -> None:
    """The flow engine's threads keep the last platform, and with it this module's globals, until the process is gone."""
    assert "duckdb" not in {getattr(kept, "__name__", "") for kept in vars(duckdb_statistics).values()}
