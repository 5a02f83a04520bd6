"""What every lake must do, the fake one too."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.adapters.lake_files import Bucket
from models.adapters.parquet_lake import BucketLake, ParquetLake
from models.clock import Month
from models.errors import Conflict, Integrity, Misconfigured, NotFound
from models.lake import Lake, PartitionVersion, content_digest
from tests.fakes.lake import InMemoryLake

JULY, AUGUST = Month(2005, 7), Month(2005, 8)
NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "parquet", "bucket"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    makers: dict[str, Callable[[], Lake]] = {
        "memory": InMemoryLake,
        "parquet": lambda: ParquetLake(tmp_path / "lake"),
        "bucket": lambda: BucketLake(f"{request.getfixturevalue('store')}/{uuid4().hex}"),
    }
    return makers[request.param]()


def rows(bill: float = 1.0) -> dict[str, np.ndarray]:
    return {
        "account_id": np.array(["A1", "Ä-22", ""]),
        "status": np.array([-2, 0, 9]),
        "bill": np.array([bill, -0.5, 1e9]),
        "bad": np.array([True, False, True]),
    }


def test_what_was_written_is_read_back_with_its_types(lake: Lake) -> None:
    written = lake.write("snapshots", JULY, rows(), recorded_at=NOON, facts={"source": "core"})

    found = lake.read(lake.versions("snapshots"))

    assert lake.versions("snapshots") == [written]
    assert (written.version, written.rows, written.facts) == (1, 3, {"source": "core"})
    assert list(found) == list(rows())
    for name, values in rows().items():
        assert found[name].dtype.kind == values.dtype.kind
        np.testing.assert_array_equal(found[name], values)


def test_the_digest_is_that_of_the_content(lake: Lake) -> None:
    assert lake.write("snapshots", JULY, rows(), recorded_at=NOON).digest == content_digest(rows())


def test_writing_the_same_content_again_changes_nothing(lake: Lake) -> None:
    first = lake.write("snapshots", JULY, rows(), recorded_at=NOON, facts={"coding": "x"})
    again = lake.write("snapshots", JULY, rows(), recorded_at=NOON + timedelta(days=1), facts={"coding": "x"})

    assert again == first
    assert lake.history("snapshots", JULY) == [first]


def test_other_facts_about_the_same_content_are_a_new_version(lake: Lake) -> None:
    lake.write("outcomes", JULY, rows(), recorded_at=NOON, facts={"definition_version": "1"})
    lake.write("outcomes", JULY, rows(), recorded_at=NOON, facts={"definition_version": "2"})

    assert [p.facts["definition_version"] for p in lake.history("outcomes", JULY)] == ["1", "2"]


def test_a_restatement_leaves_what_was_known_before(lake: Lake) -> None:
    lake.write("snapshots", JULY, rows(bill=1.0), recorded_at=NOON)
    lake.write("snapshots", JULY, rows(bill=2.0), recorded_at=NOON + timedelta(days=30))

    then = lake.read(lake.versions("snapshots", known_at=NOON))
    now = lake.read(lake.versions("snapshots"))

    assert (then["bill"][0], now["bill"][0]) == (1.0, 2.0)
    assert [p.version for p in lake.history("snapshots", JULY)] == [1, 2]


def test_nothing_is_known_before_it_was_recorded(lake: Lake) -> None:
    lake.write("snapshots", JULY, rows(), recorded_at=NOON)

    assert lake.versions("snapshots", known_at=NOON - timedelta(microseconds=1)) == []


def test_going_back_to_an_earlier_content_is_a_version_of_its_own(lake: Lake) -> None:
    for day, bill in enumerate((1.0, 2.0, 1.0)):
        lake.write("snapshots", JULY, rows(bill), recorded_at=NOON + timedelta(days=day))

    first, _, last = lake.history("snapshots", JULY)
    assert (last.version, last.digest) == (3, first.digest)


def test_a_version_cannot_be_slipped_in_before_one_that_is_known(lake: Lake) -> None:
    lake.write("snapshots", JULY, rows(1.0), recorded_at=NOON)

    with pytest.raises(Conflict, match="recorded"):
        lake.write("snapshots", JULY, rows(2.0), recorded_at=NOON - timedelta(days=1))


def test_months_come_oldest_first_and_are_read_in_the_order_asked(lake: Lake) -> None:
    lake.write("snapshots", AUGUST, rows(8.0), recorded_at=NOON)
    lake.write("snapshots", JULY, rows(7.0), recorded_at=NOON)
    lake.write("outcomes", Month(2005, 5), rows(5.0), recorded_at=NOON)

    july, august = lake.versions("snapshots")

    assert (july.month, august.month) == (JULY, AUGUST)
    assert lake.read([august, july], ["bill"])["bill"][[0, 3]].tolist() == [8.0, 7.0]


def test_only_the_columns_asked_for_are_read(lake: Lake) -> None:
    lake.write("snapshots", JULY, rows(), recorded_at=NOON)

    assert list(lake.read(lake.versions("snapshots"), ["bill", "status"])) == ["bill", "status"]
    with pytest.raises(NotFound, match="sex"):
        lake.read(lake.versions("snapshots"), ["sex"])


def test_an_unknown_table_has_no_versions(lake: Lake) -> None:
    assert lake.versions("rumours") == []
    assert lake.history("rumours", JULY) == []
    with pytest.raises(NotFound):
        lake.read([])


def test_a_partition_that_is_not_what_was_recorded_is_refused(lake: Lake) -> None:
    written = lake.write("snapshots", JULY, rows(), recorded_at=NOON)
    other = PartitionVersion(**vars(written) | {"digest": "0" * 64})

    with pytest.raises(Integrity, match=r"v0001\.parquet"):
        lake.read([other])


def test_columns_can_be_checked_without_being_read_whole(lake: Lake) -> None:
    written = lake.write("snapshots", JULY, rows(), recorded_at=NOON)
    lake.check(written, list(rows()))
    with pytest.raises(NotFound, match="colour"):
        lake.check(written, ["colour"])


@pytest.mark.parametrize("column", list(rows()))
def test_a_column_of_another_content_does_not_pass_the_check(column: str, tmp_path: Path) -> None:
    parquet, changed = ParquetLake(tmp_path), dict(rows())
    written = parquet.write("snapshots", JULY, rows(), recorded_at=NOON)
    changed[column] = np.roll(changed[column], 1)
    exchanged = pa.table(changed)
    metadata = pq.read_schema(parquet.path(written)).metadata
    pq.write_table(exchanged.replace_schema_metadata(metadata), parquet.path(written))
    for name in rows():
        with pytest.raises(Integrity, match=column) if name == column else nullcontext():
            parquet.check(written, [name])


def test_long_columns_are_checked_in_batches_of_which_none_is_lost(tmp_path: Path) -> None:
    rng, lake = np.random.default_rng(0), ParquetLake(tmp_path)
    texts = np.array([f"Ä{number}" * (number % 3) for number in range(300_000)])
    written = lake.write("decisions", JULY, {"text": texts, "number": rng.random(300_000)}, recorded_at=NOON)
    lake.check(written, ["text", "number"])


def test_a_partition_that_is_gone_is_named(lake: Lake) -> None:
    written = lake.write("snapshots", JULY, rows(), recorded_at=NOON)

    with pytest.raises(NotFound, match=r"v0007\.parquet"):
        lake.read([PartitionVersion(**vars(written) | {"version": 7})])


def test_of_several_writers_each_adds_a_version_or_is_told(lake: Lake) -> None:
    def write(bill: int) -> PartitionVersion | None:
        try:
            return lake.write("snapshots", JULY, rows(bill), recorded_at=NOON)
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        added = [version for version in pool.map(write, range(16)) if version]

    history = lake.history("snapshots", JULY)
    assert [p.version for p in history] == list(range(1, len(history) + 1))
    assert sorted(added, key=lambda p: p.version) == history
    lake.read(history)


def test_a_superseded_version_can_be_forgotten_and_the_numbers_go_on(lake: Lake) -> None:
    first = lake.write("snapshots", JULY, rows(1.0), recorded_at=NOON)
    second = lake.write("snapshots", JULY, rows(2.0), recorded_at=NOON)
    lake.forget(first)
    lake.forget(first)
    assert lake.history("snapshots", JULY) == [second]
    with pytest.raises(NotFound):
        lake.read([first])
    assert lake.write("snapshots", JULY, rows(1.0), recorded_at=NOON).version == 3


def test_the_newest_version_is_never_forgotten(lake: Lake) -> None:
    only = lake.write("snapshots", JULY, rows(), recorded_at=NOON)
    with pytest.raises(Conflict, match="newest"):
        lake.forget(only)
    assert lake.history("snapshots", JULY) == [only]


def test_a_lost_version_is_put_back_as_it_was_recorded(lake: Lake) -> None:
    first = lake.write("snapshots", JULY, rows(1.0), recorded_at=NOON, facts={"source": "core"})
    lake.write("snapshots", JULY, rows(2.0), recorded_at=NOON)
    with pytest.raises(Conflict):
        lake.restore(first, rows(1.0))
    lake.forget(first)
    with pytest.raises(Integrity, match="other content"):
        lake.restore(first, rows(3.0))

    lake.restore(first, rows(1.0))

    assert lake.history("snapshots", JULY)[0] == first
    assert lake.read([first])["bill"][0] == 1.0


def test_a_number_that_is_taken_is_not_given_away_though_its_file_is_lost(lake: Lake) -> None:
    assert lake.write("snapshots", JULY, rows(), recorded_at=NOON, after=2).version == 3


def test_a_store_that_would_write_over_what_is_there_holds_no_lake(store: str) -> None:
    class Careless:
        """As some stores are: it does not know the condition."""

        exceptions = boto3.session.Session().client("s3").exceptions

        def put_object(self, **given: object) -> None:
            boto3.session.Session().client("s3").put_object(
                **{name: value for name, value in given.items() if name != "IfNoneMatch"}
            )

    bucket = Bucket(f"{store}/{uuid4().hex}", client=Careless())
    with pytest.raises(Misconfigured, match="If-None-Match"):
        bucket.create(bucket.at("t/month=2005-07/v0001.parquet"), b"rows")


def test_what_is_there_is_never_written_over(store: str) -> None:
    bucket = Bucket(f"{store}/{uuid4().hex}")
    where = bucket.at("t/month=2005-07/v0001.parquet")
    bucket.create(where, b"first")
    with pytest.raises(FileExistsError):
        bucket.create(where, b"second")
    with bucket.opened(where) as file:
        assert file.read() == b"first"


def test_every_version_is_examined(lake: Lake) -> None:
    written = [lake.write(table, JULY, rows(bill), recorded_at=NOON) for table, bill in (("a", 1.0), ("a", 2.0), ("b", 3.0))]
    assert list(lake.examined()) == [(lake.path(part), part) for part in written]
