"""The whole report, on small cohorts whose men are planted to be thought riskier."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.bundle import PARTS, Bundle, canonical
from models.clock import Month
from models.credit_default import USE_CASE
from models.errors import Misconfigured
from models.evaluation import auc
from models.governance.doubt.rule import Rule
from models.governance.fairness.figures import CROSSED, Kind, Verdict
from models.governance.fairness.report import FairnessReport
from models.governance.ledger import Event
from models.lake import AUDIT
from models.policy import CutOffs, Policy
from models.splits import Plan, held_out
from pipelines.assessment import Cohorts
from pipelines.candidates import Effort
from pipelines.dataset import Dataset
from pipelines.development import develop
from pipelines.fairness.assemble import JUDGED, SERVED, Materials, fairness_report
from pipelines.fairness.audit import LakeAudit
from pipelines.fairness.candidates import CHAMPION, out_of_time, tried
from pipelines.fairness.step import count_look
from pipelines.fairness.table import lines
from pipelines.search import sample
from tests.datasets import dataset
from tests.fakes.families import SPACE, LineFamily
from tests.fakes.lake import InMemoryLake
from tests.fakes.optimiser import RandomOptimiser
from tests.office import Bank
from tests.rules import plain

USE = replace(USE_CASE, search_spaces={"line": SPACE})
POLICY = USE.policy
ACCOUNTS = 1_500
NOW = datetime(2005, 9, 1, tzinfo=UTC)
MONTHS = Month(2005, 5), Month(2005, 6), Month(2005, 7)
UNKNOWN = 7  # accounts that the restricted table does not know


class StatusScorer:
    """What is deployed: a probability that rises with the status alone."""

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(0.02 + 0.05 * np.maximum(inputs[:, 1], 0))

    def log_odds(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        found = self.probabilities(inputs)
        return np.log(found / (1 - found))


def sexes(rows: Dataset) -> NDArray[np.int64]:
    """Men where the account is behind, but for every third, and a tenth of the others: status gives the sex away."""
    number = np.arange(len(rows.bad))
    men = np.where(rows.columns["status_0"] >= 2, number % 3 != 0, number % 10 == 0)
    return np.where(men, 1, 2)


def restricted(cohorts: Cohorts) -> InMemoryLake:
    lake, rng = InMemoryLake(), np.random.default_rng(0)
    for rows in (cohorts.development, cohorts.out_of_time):
        for month in np.unique(rows.months):
            mine = rows.take(rows.months == month)
            table: dict[str, Any] = {"account_id": mine.accounts, "sex": sexes(mine)}
            table |= {name: rng.choice([1, 2], ACCOUNTS) for name in ("education", "marriage")}
            table["age"] = rng.integers(20, 70, ACCOUNTS)
            kept = rng.permutation(ACCOUNTS)[UNKNOWN:]
            lake.write(AUDIT, Month.parse(str(month)), {name: v[kept] for name, v in table.items()}, recorded_at=NOW)
    return lake


def bundle(recipe: Any, policy: Policy = POLICY, rule: Rule | None = None) -> Bundle:
    parts = dict.fromkeys(PARTS, b"{}") | {
        "policy.json": canonical(policy.model_dump(mode="json")),
        "contract.json": canonical(USE.contract.to_dict()),
        "uncertainty.json": canonical((rule or plain(USE.contract, policy)).to_dict()),
    }
    return Bundle.seal(USE.name, parts, lineage={"recipe": json.loads(json.dumps(recipe.to_dict()))})


@cache
def materials() -> Materials:
    before, judged = dataset(accounts=ACCOUNTS), dataset(("2005-07",), accounts=ACCOUNTS, seed=3)
    cohorts = Cohorts(MONTHS[-1].plus(1).last_day, Plan(MONTHS[:-1], MONTHS[-1]), before, judged, before)
    developed = develop(USE, cohorts.taught(), [LineFamily()], RandomOptimiser(), Effort(trials=4, folds=2, seed=1))
    return Materials(bundle(developed.recipe), StatusScorer(), cohorts, json.loads(json.dumps(developed.tables())))


def reported(given: Materials) -> FairnessReport:
    audit = LakeAudit(restricted(given.cohorts), USE.contract, NOW, lambda accounts, part: accounts)
    return fairness_report(USE, given, audit, [LineFamily()])


@pytest.fixture(scope="module")
def report() -> FairnessReport:
    return reported(materials())


def test_planted_discrimination_is_found_and_its_proxy_named(report: FairnessReport) -> None:
    men = {
        r.figure.kind: r for r in report.rulings if (r.figure.sample, r.figure.column, r.figure.group) == (JUDGED, "sex", "male")
    }
    assert men[Kind.IMPACT_RATIO].verdict is Verdict.OUTSIDE
    assert men[Kind.SCORE_DIFFERENCE].figure.estimate.low > 0
    sex = [f for f in report.figures if f.kind is Kind.PROXY_AUC and f.column == "sex"]
    strongest = max(sex, key=lambda figure: figure.estimate.value)
    assert strongest.group.split(" by ")[1] in {"months_behind_0", "months_behind_both", "all features together"}
    assert report.verdict is Verdict.OUTSIDE


def test_what_was_not_planted_is_not_outside(report: FairnessReport) -> None:
    for column in ("education", "marriage"):
        kinds = {r.verdict for r in report.rulings if r.figure.column == column and r.figure.kind is Kind.PROXY_AUC}
        assert Verdict.OUTSIDE not in kinds


def test_decisions_are_joined_to_the_right_accounts(report: FairnessReport) -> None:
    """Men of the out-of-time month, counted from the planted rule, less those whom the table does not know."""
    rows = {row["group"]: row for row in report.groups if (row["sample"], row["column"]) == (JUDGED, "sex")}
    men = int((sexes(materials().cohorts.out_of_time) == 1).sum())
    assert men - UNKNOWN <= rows["male"]["accounts"] <= men
    assert rows["not recorded"]["accounts"] == UNKNOWN == report.unjoined[JUDGED]
    assert sum(row["accounts"] for row in rows.values()) == ACCOUNTS


@pytest.fixture(scope="module")
def preferring() -> FairnessReport:
    """A model that reads the usage of the line alone favours everybody; where that may cost any AUC, it is chosen."""
    given, limits = tempting(), POLICY.fairness
    assert limits is not None
    any_cost = limits.model_copy(update={"auc_margin": 0.9})
    eager = POLICY.model_copy(update={"fairness": any_cost, "cut_offs": CutOffs(review=0.8, reduce=0.9)})
    found = reported(replace(given, bundle=bundle(given.recipe, eager)))
    assert found.frontier.chosen == "1 features"
    return found


def tempting() -> Materials:
    given = materials()
    selection = given.search["selection"]["line"]
    importance = {"utilisation_0": 1.0} | selection["importance"]
    planted = selection | {"importance": importance, "subsets": [{"size": 1}]}
    return replace(given, search={**given.search, "selection": {**given.search["selection"], "line": planted}})


def test_the_chosen_alternative_itself_is_fitted_and_judged_out_of_time(preferring: FairnessReport) -> None:
    given, found = tempting(), preferring.confirmation
    tries = tried(given.recipe, given.search, sample(USE, given.cohorts.taught()).features)
    chosen = next(each for each in tries if each.name == preferring.frontier.chosen)
    own = out_of_time(USE, [LineFamily()], given.cohorts, given.recipe, chosen)
    assert found.name == chosen.name
    assert found.point.auc == pytest.approx(auc(given.cohorts.out_of_time.bad, POLICY.quantise(own)))
    assert found.point.auc != found.champion.auc


def test_a_look_at_an_alternative_out_of_time_is_counted_and_none_at_the_champion(
    report: FairnessReport, preferring: FairnessReport
) -> None:
    bank, cohorts = Bank(), materials().cohorts
    count_look(bank.office, replace(report, confirmation=replace(report.confirmation, name=CHAMPION)), cohorts, "trainer")
    assert bank.events() == []
    for _ in range(2):
        count_look(bank.office, preferring, cohorts, "trainer")
    (entry,) = bank.ledger.entries()
    assert entry.event is Event.OUT_OF_TIME_OPENED
    assert entry.facts == {
        "bundle": preferring.bundle,
        "month": "2005-07",
        "as_of": cohorts.as_of.isoformat(),
        "alternative": preferring.frontier.chosen,
    }


def test_what_is_served_is_judged_on_accounts_that_no_model_is_fitted_on(report: FairnessReport) -> None:
    out_of_time = materials().cohorts.out_of_time
    unseen = out_of_time.take(held_out(out_of_time.accounts))
    rows = [row for row in report.groups if (row["sample"], row["column"]) == (SERVED, "sex")]
    assert sum(row["accounts"] for row in rows) == len(unseen.bad)
    # the deployed graph keeps below a probability of .0889: at most one month behind
    kept = int((unseen.columns["status_0"] <= 1).sum())
    known = sum(row.get("keep", 0) for row in rows)
    assert kept - UNKNOWN <= known <= kept


def test_an_account_in_doubt_counts_as_reviewed_as_it_is_in_service() -> None:
    """A limit of 200,000 and more is made unfamiliar: these accounts go to a person, so they are not favoured."""
    given, known = materials(), plain(USE.contract, POLICY)
    ranges = tuple(replace(each, high=199_999.0) if each.column == "credit_limit" else each for each in known.familiar.ranges)
    doubting = replace(known, familiar=replace(known.familiar, ranges=ranges))
    found = reported(replace(given, bundle=bundle(given.recipe, rule=doubting)))
    rows = [row for row in found.groups if (row["sample"], row["column"]) == (JUDGED, "marriage") and "review" in row]
    large = given.cohorts.out_of_time.columns["credit_limit"] >= 200_000
    assert sum(row["review"] for row in rows) >= large.sum() - UNKNOWN


def test_every_figure_is_ruled_on_and_names_its_gate(report: FairnessReport) -> None:
    ruled = {id(ruling.figure) for ruling in report.rulings}
    assert all(id(figure) in ruled for figure in report.figures)
    assert set(report.gates()) == {f"fairness.{kind}" for kind in Kind}
    plain = report.to_dict()
    assert all(figure["gate"].startswith("fairness.") and figure["rulings"] for figure in plain["figures"])


def test_every_sentence_says_its_number_or_why_there_is_none(report: FairnessReport) -> None:
    for figure in report.figures:
        said = figure.shortfall if figure.shortfall else f"{figure.estimate.value:.3f}"
        assert said in figure.sentence
        assert figure.how or figure.shortfall
    assert "nan" not in " ".join(lines(report))


def test_the_report_is_plain_json_and_says_what_it_was_computed_from(report: FairnessReport) -> None:
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert {source["table"] for source in plain["sources"]} >= {AUDIT}
    assert {source["month"] for source in plain["sources"] if source["table"] == AUDIT} == {str(month) for month in MONTHS}
    assert plain["bundle"] == materials().bundle.digest


def test_the_same_materials_give_the_same_report(report: FairnessReport) -> None:
    assert canonical(reported(materials()).to_dict()) == canonical(report.to_dict())


def test_the_table_shows_every_group_once_a_sample(report: FairnessReport) -> None:
    shown = [line.strip() for line in lines(report)]
    assert sum(line.startswith("sex male ") for line in shown) == 2
    assert any(line.startswith("fairness.impact_ratio") and "outside" in line for line in shown)


def test_crossings_are_of_the_sample_that_the_gate_judged(report: FairnessReport) -> None:
    crossed = [figure for figure in report.figures if CROSSED in figure.column]
    assert {figure.sample for figure in crossed} == {JUDGED}
    assert len({figure.column for figure in crossed}) == 6


def test_a_bundle_without_fairness_limits_cannot_be_within_them() -> None:
    given = materials()
    silent = bundle(given.recipe, POLICY.model_copy(update={"fairness": None}))
    with pytest.raises(Misconfigured, match="states no fairness limits"):
        reported(replace(given, bundle=silent))


def test_the_limits_are_those_sealed_in_the_bundle() -> None:
    given, limits = materials(), POLICY.fairness
    assert limits is not None
    lenient = limits.jurisdictions["US"].model_copy(update={"impact_ratio": 0.01, "columns": ("sex",)})
    sealed = POLICY.model_copy(update={"fairness": limits.model_copy(update={"jurisdictions": {"Utopia": lenient}})})
    found = reported(replace(given, bundle=bundle(given.recipe, sealed)))
    impact = [ruling for ruling in found.rulings if ruling.figure.kind is Kind.IMPACT_RATIO and not ruling.figure.shortfall]
    assert {ruling.jurisdiction for ruling in impact} == {"Utopia"}
    assert {ruling.verdict for ruling in impact} == {Verdict.WITHIN}
