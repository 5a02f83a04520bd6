"""The figures against fairlearn's on real accounts, and the report from a real home to table, file and pictures."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.bundle import MANIFEST, Bundle, canonical
from models.credit_default import USE_CASE
from models.credit_default.source import table as published
from models.errors import Integrity, NoChampion, NotApproved, NotEnoughData
from models.governance.fairness.figures import Kind, Verdict
from models.governance.fairness.groups import Decided, compare, groups, reference
from models.governance.fairness.report import FairnessReport
from models.policy import Action
from pipelines import steps
from pipelines.fairness.step import champion_report, cohorts_of
from pipelines.wiring import Platform
from tests.trained import STEP, Trained, platform_at

pytestmark = pytest.mark.integration

LIMITS = USE_CASE.policy.fairness
assert LIMITS is not None


@pytest.fixture(scope="module")
def home(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """A home with a champion."""
    return platform_at(shutil.copytree(trained.in_force, tmp_path_factory.mktemp("fairness") / "home"))


@pytest.fixture(scope="module")
def report(home: Platform) -> FairnessReport:
    return champion_report(home)


def real_decisions() -> tuple[Decided, dict[str, NDArray[np.str_]]]:
    """The real accounts of the published table, decided by a rule of thumb, with their groups."""
    rows = published()
    accounts = np.array([f"A{number:05.0f}" for number in rows["ID"]])
    used = np.clip(rows["BILL_AMT1"] / rows["LIMIT_BAL"], 0, 1)
    probability = np.clip(0.02 + 0.1 * np.maximum(rows["PAY_0"], 0) + 0.1 * used, 0, 0.99)
    bad = rows["default-payment-next-month"] == 1
    audit = {name: rows[name.upper()].astype(np.int64) for name in ("sex", "education", "marriage", "age")}
    known = np.ones(len(bad), dtype=np.bool_)
    actions = USE_CASE.policy.cut_offs.actions(probability)
    return Decided.of(LIMITS, accounts, probability, actions, bad), groups(USE_CASE.contract, LIMITS, audit, known)


@pytest.mark.parametrize("column", ["sex", "education", "marriage", "age"])
def test_rates_ratios_and_gaps_are_fairlearn_s(column: str) -> None:
    from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate

    decided, columns = real_decisions()
    of_row = columns[column]
    chosen = reference(decided, of_row, LIMITS)
    refused = ~decided.favoured
    frame = MetricFrame(
        metrics={"refused": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate},
        y_true=decided.bad,
        y_pred=refused,
        sensitive_features=of_row,
    ).by_group
    favoured = 1 - frame["refused"]
    expected = {
        Kind.IMPACT_RATIO: favoured / favoured[chosen],
        Kind.TRUE_POSITIVE_GAP: frame["tpr"] - frame["tpr"][chosen],
        Kind.FALSE_POSITIVE_GAP: frame["fpr"] - frame["fpr"][chosen],
    }
    checked = 0
    for figure in compare("real accounts", decided, column, of_row, LIMITS, 0.95):
        if figure.kind in expected and not figure.shortfall:
            assert figure.estimate.value == pytest.approx(expected[figure.kind][figure.group], abs=1e-12)
            checked += 1
    assert checked >= 3


def test_the_lowest_impact_ratio_is_fairlearn_s_demographic_parity_ratio() -> None:
    from fairlearn.metrics import demographic_parity_ratio

    decided, columns = real_decisions()
    sex = columns["sex"]
    (figure,) = [f for f in compare("real", decided, "sex", sex, LIMITS, 0.95) if f.kind is Kind.IMPACT_RATIO]
    theirs = demographic_parity_ratio(decided.bad, decided.favoured, sensitive_features=sex)
    assert figure.estimate.value == pytest.approx(theirs)


def test_the_champion_is_reported_on_its_own_out_of_time_month(home: Platform, report: FairnessReport) -> None:
    champion = steps.in_force(home)
    assert champion is not None
    assert (report.bundle, report.month) == (champion.bundle.digest, "2005-07")
    sexes = [row for row in report.groups if row["column"] == "sex"]
    assert sum(row["accounts"] for row in sexes if row["sample"].startswith("as judged")) == 30_000 // STEP
    assert {point.name for point in report.frontier.points} > {"champion"}
    assert all(sum(row[action.value] for action in Action) == row["accounts"] for row in sexes)


def test_the_numbers_of_groups_are_those_of_the_source(report: FairnessReport) -> None:
    """Counted from the published table itself."""
    women = int((published()["SEX"][::STEP] == 2).sum())
    shown = {row["group"]: row["accounts"] for row in report.groups if row["sample"].startswith("as judged")}
    assert shown["female"] == women


def test_the_report_is_kept_with_its_pictures(home: Platform, report: FairnessReport) -> None:
    kept = home.keep_fairness(report)
    assert json.loads(kept["fairness.json"].read_bytes())["verdict"] == report.verdict
    pictures = [path for name, path in kept.items() if name.endswith(".png")]
    assert len(pictures) == 4
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    again = home.keep_fairness(report)
    assert all(again[name].read_bytes() == path.read_bytes() for name, path in kept.items())


def test_evidence_that_was_touched_is_not_reported_on(home: Platform, tmp_path: Path) -> None:
    copied = platform_at(shutil.copytree(home.settings.home, tmp_path / "home"))
    (touched,) = (copied.settings.home / "evidence").rglob("development.json")
    touched.write_text(touched.read_text().replace("champion", "challenger") + " ")
    with pytest.raises(NotApproved, match=r"development\.json"):
        champion_report(copied)


def test_rows_that_are_no_longer_there_are_missed(home: Platform, tmp_path: Path) -> None:
    copied = platform_at(shutil.copytree(home.settings.home, tmp_path / "home"))
    champion = steps.in_force(home)
    assert champion is not None
    for path in (copied.settings.home / "lake" / "credit_default" / "outcomes").rglob("*2005-05/*.parquet"):
        path.unlink()
    with pytest.raises(NotEnoughData, match="2005-05"):
        cohorts_of(copied.use_case, copied.lake, champion.bundle)


def test_rows_that_are_other_than_the_bundle_s_are_refused(home: Platform) -> None:
    champion = steps.in_force(home)
    assert champion is not None
    manifest = champion.bundle.manifest
    manifest["lineage"]["partitions"][0]["digest"] = "0" * 64
    other = Bundle(dict(champion.bundle.files) | {MANIFEST: canonical(manifest)})
    with pytest.raises(Integrity, match="no longer has the rows"):
        cohorts_of(home.use_case, home.lake, other)


def test_without_a_champion_there_is_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(NoChampion, match="has no champion"):
        champion_report(platform_at(tmp_path))


def test_what_is_not_within_limits_is_held_for_a_person(report: FairnessReport) -> None:
    """The example's young accounts are favoured less than four fifths as often: the report must say so, not hide it."""
    young = [
        ruling
        for ruling in report.rulings
        if (ruling.figure.kind, ruling.figure.column, ruling.figure.group) == (Kind.IMPACT_RATIO, "age", "18 to 25")
        and ruling.figure.sample.startswith("as judged")
    ]
    assert {ruling.verdict for ruling in young} == {Verdict.OUTSIDE}
    assert report.gates()["fairness.impact_ratio"] is Verdict.OUTSIDE
