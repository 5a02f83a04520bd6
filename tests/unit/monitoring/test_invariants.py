"""Invariants of a month: each rule is broken on purpose once, and quiet months break none."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from models.alerting import Objectives
from models.bundle import Bundle
from models.clock import Month, end_of_day
from models.credit_default import USE_CASE
from models.lake import SNAPSHOTS
from models.reference import counts, fine_edges
from monitoring.invariants import rowwise
from monitoring.invariants.figures import Invariants, Service
from monitoring.invariants.freshness import Present, late
from monitoring.invariants.looking import Eyes, look
from monitoring.invariants.rules import broken
from monitoring.sealing import DECISIONS
from monitoring.verdict import Finding
from tests import months
from tests.fakes.lake import InMemoryLake
from tests.fakes.statistics import ArrayStatistics

JUNE, JULY, AUGUST = Month(2005, 6), Month(2005, 7), Month(2005, 8)
LIMITS = USE_CASE.policy.monitoring
AT = datetime(2005, 9, 1, tzinfo=UTC)
Columns = dict[str, Any]


@dataclass
class House:
    """A champion trained on June, and months that are decided on as their snapshots say, unless a test changes it."""

    lake: InMemoryLake = field(default_factory=InMemoryLake)

    def __post_init__(self) -> None:
        self.champion: Bundle = months.bundle(self.lake, self.snapshot(JUNE))

    def snapshot(self, month: Month, columns: Columns | None = None) -> Any:
        return self.lake.write(SNAPSHOTS, month, columns or months.accounts(month), recorded_at=end_of_day(month.last_day))

    def decided(
        self, month: Month, change: Callable[[Columns], Columns] = dict, *, log: Callable[[Columns], Columns] = dict
    ) -> Any:
        """`change` is made to what the service was asked about, `log` to what was logged."""
        rows = months.log_of(change(months.accounts(month)), self.champion)
        return self.lake.write(DECISIONS, month, log(rows), recorded_at=AT, facts={"model": USE_CASE.name})

    def look(self, month: Month, *, rows: int = 200_000) -> Invariants:
        part = next(part for part in self.lake.versions(DECISIONS) if part.month == month)
        return look(Eyes(self.lake, ArrayStatistics(self.lake), months.StatusScorer), part, self.champion, rows=rows)

    def kinds(self, month: Month) -> dict[str, Finding]:
        return {finding.kind: finding for finding in broken(self.look(month), str(month), LIMITS, Objectives())}


@pytest.fixture
def house() -> House:
    house = House()
    for month in (JULY, AUGUST):
        house.snapshot(month)
    return house


def changed(**columns: Callable[[Columns], Any]) -> Callable[[Columns], Columns]:
    return lambda rows: {**rows, **{name: make(rows) for name, make in columns.items()}}


def doubled(rows: Columns) -> Columns:
    return {name: np.concatenate([values, values]) for name, values in rows.items()}


def test_quiet_months_break_nothing_and_their_figures_are_kept(house: House) -> None:
    house.decided(JULY)
    house.decided(AUGUST)

    assert house.kinds(JULY) == house.kinds(AUGUST) == {}
    found = house.look(AUGUST)
    assert (found.rows, found.whole, found.decisions, found.before) == (months.ROWS, True, months.ROWS, (months.ROWS,))
    assert found.skew
    assert (found.skew.compared, found.skew.differing, found.skew.unknown) == (months.ROWS, 0, 0)
    assert (found.recomputed.rows, found.recomputed.differing, found.recomputed.largest) == (months.ROWS, 0, 0.0)
    assert found.carried
    assert found.carried.accounts == months.ROWS
    assert Invariants.model_validate_json(found.model_dump_json()) == found


def test_an_amount_in_thousands_is_seen_in_the_first_month(house: House) -> None:
    house.decided(JULY, changed(bill_0=lambda rows: (rows["bill_0"] / 1_000).round(3)))

    found = house.kinds(JULY)["unit_change"]
    assert found.text == "bill_0 is about a 1,000th of what it was at training, at every quartile: it may not be in TWD any more."


def test_a_portfolio_that_owes_twice_as_much_is_no_change_of_unit(house: House) -> None:
    house.decided(JULY, changed(bill_0=lambda rows: rows["bill_0"] * 2))

    assert "unit_change" not in house.kinds(JULY)


def test_last_months_file_under_this_months_name_is_seen(house: House) -> None:
    house.decided(JULY)
    house.decided(AUGUST, lambda rows: {**months.accounts(JULY), "snapshot_month": rows["snapshot_month"]})

    assert house.kinds(AUGUST)["stuck_upstream"].text.startswith("100 % of the accounts have every input as in 2005-07")


def test_a_batch_that_came_twice_is_seen(house: House) -> None:
    house.decided(JULY, log=doubled)

    assert list(house.kinds(JULY)) == ["duplicate_batch"]


def test_two_truths_about_one_account_are_told_but_stop_nothing(house: House) -> None:
    def again(rows: Columns) -> Columns:
        both = doubled(rows)
        both["payment_0"][months.ROWS :] += 1.0
        return both

    house.decided(JULY, log=again)

    assert house.kinds(JULY)["repeated_accounts"].level == "amber"
    assert "duplicate_batch" not in house.kinds(JULY)


def test_half_the_usual_decisions_are_still_usual_and_fewer_are_not(house: House) -> None:
    for month, rows in ((Month(2005, 5), 1_000), (JULY, 1_000), (AUGUST, 500), (Month(2005, 9), 499)):
        house.decided(month, log=lambda columns, rows=rows: {name: values[:rows] for name, values in columns.items()})

    assert "volume" not in house.kinds(AUGUST)
    assert house.kinds(Month(2005, 9))["volume"].text == ("499 decisions in 2005-09; 1,000 are usual (limit: 0.5 times as many).")


def test_other_inputs_than_the_lakes_are_skew_by_name(house: House) -> None:
    def shifted(rows: Columns) -> Any:
        return np.where(np.arange(months.ROWS) < 100, rows["bill_0"] + 1e6, rows["bill_0"])

    house.decided(JULY, changed(bill_0=shifted))

    assert list(house.kinds(JULY)) == ["skew"]
    assert house.kinds(JULY)["skew"].text == (
        "100 decisions (5 %) were made on other inputs than the lake has of these accounts, most of all bill_0;"
        " the lake's would move a probability by up to 0.100."
    )


def test_a_restatement_after_the_decision_makes_nothing_wrong(house: House) -> None:
    house.decided(JULY)
    restated = months.accounts(JULY)
    house.lake.write(SNAPSHOTS, JULY, {**restated, "bill_0": restated["bill_0"] + 1.0}, recorded_at=AT)

    assert house.kinds(JULY) == {}


def test_a_single_probability_that_differs_by_more_than_the_quantum_is_told(house: House) -> None:
    def off(by: float) -> Callable[[Columns], Columns]:
        return changed(probability=lambda rows: rows["probability"] + np.where(np.arange(months.ROWS) == 7, by, 0.0))

    house.decided(JULY, log=off(1e-9))
    house.decided(AUGUST, log=off(2e-9))

    assert house.kinds(JULY) == {}
    assert house.kinds(AUGUST)["not_reproduced"].text == (
        "1 of 2,000 probabilities came out otherwise when the bundle's graph ran again (by up to 2e-09)."
    )


def test_a_probability_that_is_no_number_is_not_what_the_graph_says(house: House) -> None:
    house.decided(JULY, log=changed(probability=lambda rows: np.where(np.arange(months.ROWS) == 7, np.nan, rows["probability"])))

    assert house.look(JULY).recomputed.differing == 1


def test_one_answer_for_everybody_is_seen(house: House) -> None:
    house.decided(JULY, log=changed(probability=lambda rows: np.full(months.ROWS, 0.2)))

    assert house.kinds(JULY)["constant_score"].text == "100 % of the decisions have one and the same probability, 0.2."


def test_without_a_snapshot_nothing_is_compared_and_nothing_is_said(house: House) -> None:
    house.decided(Month(2005, 9))

    assert house.look(Month(2005, 9)).skew is None
    assert house.kinds(Month(2005, 9)) == {}


def test_of_a_large_month_the_same_accounts_are_looked_at_in_every_table(house: House) -> None:
    house.decided(JULY)
    house.decided(AUGUST)

    found = house.look(AUGUST, rows=300)

    assert (found.rows, found.whole, found.decisions) == (300, False, months.ROWS)
    assert found.skew
    assert (found.skew.compared, found.skew.differing) == (300, 0)
    assert found.carried
    assert found.carried.accounts == 300


def test_the_last_of_several_rows_of_a_key_counts() -> None:
    keys = np.array(["b", "a", "b"])

    assert rowwise.places(keys, np.array(["a", "b", "c"])).tolist() == [1, 2, -1]
    assert rowwise.places(keys[:0], keys).tolist() == [-1, -1, -1]


SERVICE = Service(
    read_at=AT.isoformat(),
    requests=10_000,
    failed=10,
    timed=10_000,
    quick=9_900,
    limit_seconds=0.1,
    p50_seconds=0.001,
    p99_seconds=0.1,
)


def test_the_service_is_held_to_what_is_promised(house: House) -> None:
    house.decided(JULY)

    def kinds(service: Service) -> list[str]:
        found = house.look(JULY).model_copy(update={"service": service})
        return [finding.kind for finding in broken(found, "2005-07", LIMITS, Objectives())]

    assert kinds(SERVICE) == []
    assert kinds(SERVICE.model_copy(update={"failed": 11, "quick": 9_899})) == ["errors", "latency"]
    assert kinds(SERVICE.model_copy(update={"requests": 20, "failed": 4, "timed": 20, "quick": 16})) == []


PRESENT = Present(
    snapshots=frozenset({JUNE, JULY, AUGUST}),
    decisions=frozenset({JULY, AUGUST}),
    outcomes=frozenset({JUNE, JULY}),
    in_force_since=date(2005, 7, 10),
)


def lates(present: Present, today: date) -> list[tuple[str, str]]:
    return [(finding.kind, finding.subject) for finding in late(USE_CASE, present, LIMITS, today)]


def test_what_is_due_is_late_on_the_day_after() -> None:
    """September's accounts are due on 1 October, and so are August's outcomes, but no decisions on September."""
    assert lates(PRESENT, date(2005, 10, 1)) == []
    assert lates(PRESENT, date(2005, 10, 2)) == [("outcomes_late", "2005-08"), ("snapshots_late", "2005-09")]
    (outcomes, _) = late(USE_CASE, PRESENT, LIMITS, date(2005, 10, 3))
    assert outcomes.text == "The outcomes of 2005-08 have not come: due on 2005-10-01, 2 days ago."


def test_nothing_decided_on_a_months_accounts_is_late_once_they_have_come() -> None:
    missed = replace(PRESENT, decisions=frozenset({JULY}))

    assert lates(missed, date(2005, 9, 5)) == []
    assert ("decisions_late", "2005-08") in lates(missed, date(2005, 9, 6))


def test_what_was_due_before_a_model_was_in_force_nobody_waited_for() -> None:
    assert lates(replace(PRESENT, decisions=frozenset(), in_force_since=date(2026, 11, 1), last=AUGUST), date(2026, 11, 27)) == []
    assert lates(replace(PRESENT, in_force_since=None), date(2026, 11, 27)) == []


def test_after_the_last_month_that_there_will_be_none_is_missed() -> None:
    complete = replace(PRESENT, outcomes=PRESENT.outcomes | {AUGUST}, last=AUGUST)

    assert lates(complete, date(2006, 3, 1)) == []


def test_quartiles_at_training_are_right_where_many_owe_nothing_or_have_a_credit() -> None:
    rng = np.random.default_rng(0)
    owed = rng.gamma(1.0, 40_000.0, 20_000) * rng.choice([0.0, -0.01, 1.0], 20_000, p=[0.35, 0.1, 0.55])
    edges = fine_edges(owed)
    profile = {"fine": {"bill_0": {"edges": edges, "counts": counts({"edges": edges}, owed).tolist()}}}

    (found,) = rowwise.units(USE_CASE.contract, {"bill_0": owed}, profile, 500)

    assert found.ratios == pytest.approx((1, 1, 1), abs=0.05)


@pytest.mark.parametrize("zeros", [0, 100, 2_000])
def test_an_amount_in_thousands_is_a_thousandth_at_every_quartile_however_many_are_zero(zeros: int) -> None:
    paid = np.concatenate([np.zeros(zeros), np.random.default_rng(5).lognormal(7, 1, 3_000).round(2)])
    edges = fine_edges(paid)
    fine = {"edges": edges, "counts": np.histogram(paid, [-np.inf, *edges, np.inf])[0].tolist()}
    contract = USE_CASE.contract
    (found,) = rowwise.units(contract, {"payment_0": paid / 1_000}, {"fine": {"payment_0": fine}}, 500)
    assert found.ratios == pytest.approx((1e-3, 1e-3, 1e-3), rel=0.1)
