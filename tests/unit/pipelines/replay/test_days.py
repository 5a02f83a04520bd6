from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from models import catalog
from models.clock import Month
from models.errors import Integrity, Unavailable
from models.usecase import Cohort, UseCase
from monitoring.report import MonthlyReport
from monitoring.verdict import Level
from pipelines.replay.days import BATCH, records, replay
from pipelines.replay.ports import Acceptance, Day, Script, Turn
from pipelines.replay.story import ReplayResult
from tests.fakes.replay import FakePlatform, FakeService, report_of

JULY, AUGUST, SEPTEMBER = Month(2005, 7), Month(2005, 8), Month(2005, 9)
ROWS = 2_500
USE_CASE: UseCase = catalog.find("credit_default")


class ToySource:
    """Accounts of a made-up month; the status of the month before decides the outcome."""

    def months(self) -> list[Month]:
        return [JULY, AUGUST, SEPTEMBER]

    def last(self) -> Month:
        return SEPTEMBER

    def cohort(self, month: Month, as_of: date) -> Cohort:
        dice = np.random.default_rng([month.year, month.number])
        status = dice.integers(-1, 4, ROWS)
        accounts = np.array([f"A{number:05d}" for number in range(ROWS)])
        amounts = {name: dice.random(ROWS) for name in USE_CASE.contract.inputs}
        columns = amounts | {"credit_limit": dice.random(ROWS), "status_0": status, "status_1": status}
        columns |= {"account_id": accounts, "snapshot_month": np.full(ROWS, str(month))}
        known = USE_CASE.matured_at(month) <= as_of
        audit = {"account_id": accounts, "age": np.full(ROWS, 40)}
        return Cohort(month, columns, audit, np.where(status > 1, 2, 0) if known else None, "repayment_status")


def script(*extra: Day, months: Sequence[Month] = (JULY, AUGUST, SEPTEMBER)) -> Script:
    days = sorted([*(Day(month.last_day, month) for month in months), *extra], key=lambda day: day.on)
    return Script("toy", "A toy", USE_CASE, ToySource(), days, data=())


def lived(platform: FakePlatform, service: FakeService | None = None, *, days: Script | None = None) -> ReplayResult:
    return replay(days or script(), platform, service or FakeService(USE_CASE.contract), say=lambda _: None)


def quiet(today: str) -> list[MonthlyReport]:
    """Every month so far is green; those whose outcome month is over have matured."""
    now = date.fromisoformat(today)
    months = [month for month in (JULY, AUGUST, SEPTEMBER) if month.last_day <= now]
    return [report_of(month, Level.GREEN, matured=USE_CASE.matured_at(month) <= now) for month in months]


def test_each_day_takes_in_the_batch_and_considers_retraining_in_this_order() -> None:
    platform = FakePlatform(USE_CASE, report=quiet)
    lived(platform)
    assert platform.calls[:3] == ["2005-07-31 ingest", "2005-07-31 train", "2005-07-31 monitor"]
    assert platform.calls[3:5] == ["2005-08-31 ingest", "2005-08-31 retrain"]


def test_a_quiet_replay_changes_nothing_and_says_so() -> None:
    result = lived(FakePlatform(USE_CASE, report=quiet))
    assert [month.version for month in result.months] == [1, 1, 1]
    assert [event.kind for event in result.events] == ["promoted"]
    assert result.noticed_on == ""


def test_a_model_promoted_at_the_end_of_a_month_scores_from_the_next_month_on() -> None:
    better = {"2005-07-31": Turn(None, ""), "2005-08-31": Turn("promoted", "AUC fell.", 2, "two")}
    result = lived(FakePlatform(USE_CASE, report=quiet, turns=better))
    assert [month.version for month in result.months] == [1, 1, 2]
    assert [(event.on, event.kind, event.version) for event in result.events][1:] == [("2005-08-31", "promoted", 2)]


def test_the_never_retrained_model_is_the_first_champion_in_every_month() -> None:
    days = script(Day(date(2005, 10, 31)))
    better = {"2005-08-31": Turn("promoted", "AUC fell.", 2, "two")}
    result = lived(FakePlatform(USE_CASE, report=quiet, turns=better), days=days)
    for month, retrained in zip(result.months, (False, False, True), strict=True):
        assert month.coded is not None
        assert (month.coded.champion != month.coded.never) == retrained
        if retrained:
            assert month.coded.champion.auc == 1.0, "model 2 ranks by the status that decides the outcome"


def test_a_held_month_is_recorded_with_the_day_on_which_it_was_noticed() -> None:
    held = {"2005-09-30": Turn("held", "status_0 is coded otherwise.")}
    result = lived(FakePlatform(USE_CASE, report=quiet, turns=held))
    assert (result.noticed_on, result.noticed_by) == ("2005-09-30", "status_0 is coded otherwise.")
    assert result.events[-1].kind == "held"


def test_a_red_report_is_noticed_on_the_day_it_is_written() -> None:
    def report(today: str) -> list[MonthlyReport]:
        return [report_of(AUGUST, Level.RED), report_of(JULY, Level.GREEN), report_of(SEPTEMBER, Level.RED)]

    assert lived(FakePlatform(USE_CASE, report=report)).noticed_on == "2005-07-31"


def test_a_persons_acceptance_takes_a_day_of_its_own_and_retraining_goes_on() -> None:
    accepted = Day(date(2005, 10, 3), acceptance=Acceptance(2, "Dana", "only code 2 means what it meant"))
    platform = FakePlatform(USE_CASE, report=quiet, turns={"2005-10-03": Turn("promoted", "Definition 2.", 2, "two")})
    result = lived(platform, days=script(accepted))
    assert platform.calls[-2:] == ["2005-10-03 accept 2", "2005-10-03 retrain"]
    assert [(event.kind, event.by) for event in result.events][1:] == [("accepted", "Dana"), ("promoted", "")]


def test_a_model_that_came_too_late_to_score_is_compared_beside_the_loop() -> None:
    days = script(Day(date(2005, 10, 3), acceptance=Acceptance(2, "Dana", "")), Day(date(2005, 10, 31)))
    platform = FakePlatform(USE_CASE, report=quiet, turns={"2005-10-03": Turn("promoted", "Definition 2.", 2, "two")})
    same, aside = lived(platform, days=days).asides
    assert "also those of the never-retrained model" in same
    assert "Model 2 came into force after the last month was scored" in aside
    assert "AUC 1.000" in aside


def test_an_immature_month_has_no_figures_but_a_reason() -> None:
    last = lived(FakePlatform(USE_CASE, report=quiet)).months[-1]
    assert (last.coded, last.comparable) == (None, None)
    assert last.note == "Outcomes of 2005-09 mature later."


def test_a_month_under_another_definition_has_no_comparable_figures() -> None:
    def report(today: str) -> list[MonthlyReport]:
        return [
            report_of(month, Level.AMBER, matured=month == JULY, definition=2, comparable=None)
            for month in (JULY, AUGUST, SEPTEMBER)
        ]

    july = lived(FakePlatform(USE_CASE, report=report)).months[0]
    assert july.coded is not None
    assert (july.coded.definition, july.comparable, july.note) == (2, None, "There is nothing to compare with.")


def test_a_service_that_died_is_started_again_and_asked_with_the_same_key() -> None:
    service = FakeService(USE_CASE.contract, crashes=1)
    result = lived(FakePlatform(USE_CASE, report=quiet), service)
    assert service.starts == 2
    assert service.asked[0] == service.asked[1]
    assert sum(service.decided.values()) == 3 * ROWS, "nothing was decided twice"
    assert [month.accounts for month in result.months] == [ROWS] * 3


def test_a_service_that_stays_dead_ends_the_replay_and_is_stopped() -> None:
    service = FakeService(USE_CASE.contract, crashes=2)
    with pytest.raises(Unavailable):
        lived(FakePlatform(USE_CASE, report=quiet), service)
    assert not service.running


def test_a_service_that_does_not_swap_ends_the_replay() -> None:
    service = FakeService(USE_CASE.contract)
    platform = FakePlatform(USE_CASE, report=quiet, turns={"2005-08-31": Turn("promoted", "AUC fell.", 2, "two")})
    platform.report = lambda today: setattr(service, "stuck", today == "2005-08-31") or quiet(today)
    with pytest.raises(Unavailable, match="still answers with one"):
        lived(platform, service)


def test_an_answer_from_a_bundle_that_is_not_in_force_ends_the_replay() -> None:
    class Foreign(FakeService):
        def await_bundle(self, digest: str) -> None:
            self.bundle = "two"

    with pytest.raises(Integrity, match="answered by bundle two"):
        lived(FakePlatform(USE_CASE, report=quiet), Foreign(USE_CASE.contract))


def test_a_replay_without_a_first_champion_ends_with_the_reason() -> None:
    platform = FakePlatform(USE_CASE, first=Turn("kept", "The gate refused it."))
    with pytest.raises(Unavailable, match="The gate refused it"):
        lived(platform)


def test_a_request_holds_key_time_and_inputs_as_plain_values_and_no_audit_column() -> None:
    service = FakeService(USE_CASE.contract)
    lived(FakePlatform(USE_CASE, report=quiet), service)
    assert service.seen == {"account_id", "snapshot_month", *USE_CASE.contract.inputs}
    assert max(service.decided.values()) == BATCH
    row = records(USE_CASE.contract, ToySource().cohort(JULY, date(2005, 7, 31)).columns)[0]
    assert {type(value) for value in row.values()} <= {int, float, str}


def test_the_truth_is_shown_where_it_is_known() -> None:
    days = replace(script(Day(date(2005, 10, 31))), truth=lambda month: np.linspace(0, 1, ROWS))
    assert all(month.coded and month.coded.best for month in lived(FakePlatform(USE_CASE, report=quiet), days=days).months)
