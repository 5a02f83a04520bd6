"""Why a model was retrained, or not, can be read later: in the ledger, in the registry's tags, and by a command."""

import hashlib
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from models.errors import NotEnoughData
from models.governance.ledger import Event
from models.governance.retrainings import Course, TriggerKind, explanations
from models.governance.verification import found_by
from models.policy import RetrainingRules
from pipelines.commands.explaining import told
from pipelines.retraining import asked_for
from pipelines.steps import Ending, Kind
from pipelines.triggers.step import consider, explained, rest
from pipelines.wiring import Platform
from tests.alerting import finding, month
from tests.trained import AUGUST, Trained, platform_at

pytestmark = pytest.mark.integration
MODEL = "credit_default"
NEXT_YEAR = date(2006, 8, 31)


@pytest.fixture
def parts(trained: Trained, tmp_path: Path) -> Platform:
    made = platform_at(shutil.copytree(trained.in_force, tmp_path / "home"))
    made.use_case = replace(
        made.use_case, policy=made.use_case.policy.model_copy(update={"retraining": RetrainingRules(every_months=12)})
    )
    return made


def test_the_run_says_in_the_registry_what_triggered_it(parts: Platform) -> None:
    (version,) = parts.registry.versions(MODEL)
    assert (version.tags["trigger"], version.tags["trigger_sentence"]) == ("person", "A test asked for it.")


def test_the_calendar_trains_cites_the_champion_and_is_held_back_after_it(parts: Platform) -> None:
    decided = consider(parts, [], NEXT_YEAR, "")
    (trigger,) = decided.triggers
    assert explanations(parts.ledger.entries(MODEL)) == []
    assert (decided.course, trigger.kind) == (Course.TRAIN, TriggerKind.SCHEDULE)
    assert trigger.evidence[0].kind == "bundle"

    lost = Ending(Kind.KEPT, "Keep: no gain.", 2, "b" * 64, failed=("AUC gain is .000, at least .002 is asked.",))
    with explained(parts, decided, NEXT_YEAR) as ended:
        assert ended(lost) is lost

    again = consider(parts, [], NEXT_YEAR + timedelta(days=1), "")
    assert again.course is Course.HELD_BACK
    assert rest(parts, again, NEXT_YEAR + timedelta(days=1)).kind is Kind.RESTED

    first, second = explanations(parts.ledger.entries(MODEL))
    assert (first.ending, first.failed, first.triggers) == ("kept", lost.failed, decided.triggers)
    assert "cool-down lasts until 2006-09-14" in second.sentence
    page = "\n".join(line for one in (second, first) for line in told(one))
    assert "as of 2006-08-31  kept, version 2" in page
    assert "lacking  AUC gain is .000" in page
    assert "as of 2006-09-01  held back" in page


def test_a_training_that_breaks_off_leaves_the_problem_and_may_be_begun_again(parts: Platform) -> None:
    decided = consider(parts, [], NEXT_YEAR, "")
    with pytest.raises(NotEnoughData), explained(parts, decided, NEXT_YEAR):
        raise NotEnoughData("one cohort is not enough")

    (found,) = explanations(parts.ledger.entries(MODEL))
    assert (found.ending, found.sentence) == ("failed", "one cohort is not enough")
    assert consider(parts, [], NEXT_YEAR, "").course is Course.TRAIN
    assert [e.event for e in parts.ledger.entries(MODEL)][-2:] == [Event.RETRAINING_BEGUN, Event.RETRAINING_ENDED]


def test_what_an_older_month_turned_out_to_be_late_retrains_nothing_where_the_newest_ones_are_good(parts: Platform) -> None:
    made = [month("2005-09"), month("2005-08", matured=True), month("2005-07", finding("auc_drop"), matured=True)]
    for report in made:
        parts.reports.add(report, {})
    assert consider(parts, made, AUGUST, "").triggers == ()
    assert [trigger.kind for trigger in consider(parts, made[2:], AUGUST, "").triggers] == [TriggerKind.PERFORMANCE]


def test_a_report_that_a_retraining_rests_on_is_compared_by_its_digest(parts: Platform) -> None:
    report = month("2005-09", finding("auc_drop"))
    parts.reports.add(report, {})
    decided = consider(parts, [report], NEXT_YEAR, "")
    with explained(parts, decided, NEXT_YEAR) as ended:
        ended(Ending(Kind.KEPT, "Keep: no gain.", 2, "b" * 64))
    (file,) = (parts.settings.home / "reports").rglob("2005-09/*/report.json")
    (cited,) = decided.triggers[0].evidence
    assert cited.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [found for found in found_by(parts.checks()) if found.where.startswith("report ")] == []

    file.write_bytes(file.read_bytes() + b"\n")

    assert [found.where for found in found_by(parts.checks()) if found.where.startswith("report ")] == [f"report {cited.name}"]


def test_a_quiet_rest_is_no_explanation(parts: Platform) -> None:
    rest(parts, consider(parts, [], AUGUST, ""), AUGUST)
    assert explanations(parts.ledger.entries(MODEL)) == []
    assert consider(parts, [], AUGUST, "Ada").kinds == asked_for("Ada").kinds == "person"
