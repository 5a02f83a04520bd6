"""A home with `STEWARD_ENGINE=spark` and a cluster's address: a month is decided and reported on as on one machine."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.lake import AUDIT, OUTCOMES, SNAPSHOTS
from pipelines.ingest import ingest
from pipelines.scoring.step import carry_out, plan_batch
from pipelines.settings import PipelineSettings
from pipelines.steps import watch
from pipelines.wiring import Platform
from tests import sparks
from tests.fakes.source import SomeAccounts
from tests.trained import STEP, Trained

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]  # two homes, a training and a cluster

JULY = "2005-07"
OWN = {"decision_id", "recorded_at", "sources"}  # of each home, and of when it decided


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    sparks.skip_without()
    with sparks.cluster(tmp_path_factory.mktemp("cluster")) as url:
        yield url


def lived_through(home: Path, **settings: Any) -> tuple[Platform, dict[str, list[Any]], dict[str, Any]]:
    """A month decided and reported on: the home, its answers and its report."""
    parts = Platform(PipelineSettings(home=home, part_rows=1_000, **settings), source=SomeAccounts(step=STEP))
    summary = carry_out(parts, plan_batch(parts, JULY, "", "", ""))
    assert summary.refused == 0
    answers = pq.read_table(home / "scored" / "credit_default" / f"{JULY}-v1").to_pydict()
    (report,) = [found for found in watch(parts) if str(found.month) == JULY]
    return parts, answers, report.model_dump(mode="json")


def test_a_cluster_decides_and_reports_as_one_machine_does(trained: Trained, master: str, tmp_path: Path) -> None:
    for name in ("alone", "cluster"):
        shutil.copytree(trained.in_force, tmp_path / name)

    _, answers, report = lived_through(tmp_path / "alone")
    parts, others, other = lived_through(tmp_path / "cluster", engine="spark", spark_master=master)
    parts.spark.close()

    assert len(answers["action"]) == 6_000
    assert others.keys() == answers.keys()
    np.testing.assert_allclose(others["probability"], answers["probability"], rtol=0, atol=1e-9)
    for name in answers.keys() - OWN - {"probability"}:
        assert others[name] == answers[name], name
    assert {name: value for name, value in other.items() if name not in OWN} == {
        name: value for name, value in report.items() if name not in OWN
    }


def taken_in(home: Path, **settings: Any) -> list[tuple[str, str, str, int]]:
    """The versions that a home without any has after two months."""
    parts = Platform(PipelineSettings(home=home, **settings), source=SomeAccounts(step=STEP))
    ingest(parts.use_case, SomeAccounts(step=STEP), parts.intake, as_of=date(2005, 6, 30), progress=lambda _: None)
    if parts.settings.engine == "spark":
        parts.spark.close()
    lake, audit = parts.lake.versions(SNAPSHOTS) + parts.lake.versions(OUTCOMES), parts.restricted.versions(AUDIT)
    return [(part.table, str(part.month), part.digest, part.rows) for part in [*lake, *audit]]


def test_what_a_cluster_checked_is_stored_as_one_machine_stores_it(master: str, tmp_path: Path) -> None:
    alone = taken_in(tmp_path / "alone")
    shutil.copytree(tmp_path / "alone" / "keys", tmp_path / "cluster" / "keys")

    assert taken_in(tmp_path / "cluster", engine="spark", spark_master=master) == alone
    assert len(alone) == 5
    assert "LongType" in "".join(path.read_text() for path in (tmp_path / "cluster").rglob("*.json"))
