"""From a month's decisions to the person on call, with the real tools: raised, sent, acknowledged, over."""

import shutil
from argparse import Namespace
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models.clock import FixedClock, Month
from models.governance.ledger import Event
from models.governance.release import champion
from models.governance.verification import found_by
from models.lake import SNAPSHOTS
from monitoring.adapters.apprise_channels import channels
from monitoring.alerts.acts import act
from monitoring.alerts.book import every_open
from monitoring.decisions import LoggedDecision
from monitoring.invariants.figures import Service
from monitoring.report import newest
from pipelines import steps
from pipelines.alerting import raise_alerts, send_alerts
from pipelines.commands import alerting
from pipelines.commands.loop import Ended
from pipelines.wiring import Platform
from tests.alerting import MODEL, cause, opened
from tests.receivers import webhook
from tests.trained import Trained, platform_at

pytestmark = pytest.mark.integration

JULY, AUGUST = Month(2005, 7), Month(2005, 8)
AMOUNTS = ("bill_0", "bill_1", "payment_0", "payment_1")


@pytest.fixture
def parts(trained: Trained, tmp_path: Path) -> Platform:
    return platform_at(shutil.copytree(trained.in_force, tmp_path / "home"))


def decide(parts: Platform, month: Month, change: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> None:
    """As the service would, on what `change` makes of the lake's rows."""
    bundle = parts.released_bundle(champion(parts.office, parts.use_case.name))
    (part,) = [each for each in parts.lake.versions(SNAPSHOTS) if each.month == month]
    columns = change(parts.lake.read([part]))
    contract, policy = bundle.contract, bundle.policy
    scores = policy.quantise(parts.scorer(bundle.graph).probabilities(contract.matrix(columns)))
    inputs = [dict(zip(contract.inputs, row, strict=True)) for row in contract.matrix(columns).tolist()]
    parts.decisions.append(
        [
            LoggedDecision(
                decision_id=f"{month}-{number}",
                model=bundle.model,
                version=1,
                bundle=bundle.digest,
                account_id=str(columns[contract.key][number]),
                month=month,
                inputs=inputs[number],
                probability=float(scores[number]),
                action=str(action),
                recorded_at=parts.clock.now(),
                request_id="",
            )
            for number, action in enumerate(policy.cut_offs.actions(scores))
        ]
    )


def in_thousands(columns: dict[str, Any]) -> dict[str, Any]:
    return columns | {name: (columns[name] / 1_000).round(3) for name in AMOUNTS}


def test_amounts_in_thousands_reach_the_person_on_call_who_takes_them_on(parts: Platform, tmp_path: Path) -> None:
    decide(parts, JULY)
    steps.watch(parts)
    quiet = {alert.kind for alert in every_open(parts.alert_book)}
    decide(parts, AUGUST, in_thousands)
    (report, *_) = steps.watch(parts)
    pages = {(alert.kind, alert.subject) for alert in every_open(parts.alert_book) if alert.severity == "page"}

    assert not quiet & {"unit_change", "skew", "not_reproduced", "stuck_upstream", "duplicate_batch"}
    assert {("unit_change", name) for name in AMOUNTS} <= pages
    assert ("skew", "") in pages
    assert report.invariants
    assert report.invariants.recomputed.differing == 0
    assert report.invariants.skew
    assert report.invariants.skew.by_input.keys() == set(AMOUNTS)

    with webhook() as hook:
        file = tmp_path / "channels"
        file.write_text(f"on-call json://127.0.0.1:{hook.port}/t0ken\n")
        file.chmod(0o600)
        parts.alert_channels = channels(file)
        assert send_alerts(parts).failures == {}
        told = len(hook.posts)
        assert send_alerts(parts).sent == 0
    said = next(body for _, body in hook.posts if "another unit" in body["title"])
    assert said["title"] == "PAGE credit_default: An amount came in another unit (and 3 more)"
    assert "is about a 1,000th of what it was at training" in said["message"]
    assert told == len({body["title"] for _, body in hook.posts})

    taken = next(alert for alert in every_open(parts.alert_book) if alert.kind == "unit_change")
    act(parts.alert_book, parts.ledger, parts.clock, "acknowledge", taken.id, by="ana", reason="asking upstream")
    assert parts.ledger.entries()[-1].event is Event.ALERT_ACKNOWLEDGED
    assert [found for found in found_by(parts.checks()) if found.where.startswith("alert")] == []


def test_what_is_late_calls_once_a_model_is_in_force_and_is_over_when_it_has_come(parts: Platform) -> None:
    """In force since the day on which the test trained it; the months of 2005 were due before, so nobody waits for them."""
    raise_alerts(parts)
    assert [alert for alert in every_open(parts.alert_book) if alert.kind.endswith("_late")] == []

    class Everlasting:
        """The same accounts, of a source that goes on for ever."""

        def __getattr__(self, name: str) -> Any:
            return getattr(source, name)

        def last(self) -> None:
            return None

    source = parts.source
    parts.source = Everlasting()
    parts.clock = FixedClock(parts.clock.now() + timedelta(days=62))
    raise_alerts(parts)
    late = [alert for alert in every_open(parts.alert_book) if alert.kind == "snapshots_late"]
    assert late
    assert all(alert.severity == "page" for alert in late)

    parts.source = source
    raise_alerts(parts)
    assert [alert for alert in every_open(parts.alert_book) if alert.kind == "snapshots_late"] == []


def test_a_service_that_is_away_is_a_page_and_costs_no_report(parts: Platform) -> None:
    parts.settings = parts.settings.model_copy(update={"service_metrics": "http://127.0.0.1:9/metrics"})
    decide(parts, JULY)
    steps.watch(parts)

    assert "unavailable" in {alert.kind for alert in every_open(parts.alert_book)}
    ((_, report),) = newest(parts.reports, parts.use_case.name)
    assert report.invariants
    assert report.invariants.service is None


def test_a_dead_database_and_a_damaged_ledger_call_somebody_and_keep_no_message_back(parts: Platform, tmp_path: Path) -> None:
    """A round that needs what is broken would raise nothing, and what waited would stay unsent."""
    parts.alert_book.revise(MODEL, lambda _: opened([cause()], parts.clock.now()))
    (parts.settings.home / "decisions.db").write_bytes(b"no database" * 1_000)
    with webhook() as hook:
        file = tmp_path / "channels"
        file.write_text(f"on-call json://127.0.0.1:{hook.port}/t0ken\n")
        file.chmod(0o600)
        parts.alert_channels = channels(file)
        steps.notify(parts)
    said = {alert.subject: alert.text for alert in every_open(parts.alert_book) if alert.kind == "unreadable"}

    assert said.keys() == {"what is late", "how the model is watched"}
    assert "the decision log does not answer" in said["what is late"]
    assert {body["title"].partition(": ")[2] for _, body in hook.posts} == {
        "The score has shifted",
        "A part of the platform cannot be read (and 1 more)",
    }

    ledger = parts.settings.home / "ledger.jsonl"
    whole = ledger.read_text()
    ledger.write_text(whole.replace("recorded_at", "recorded_at_", 1))
    raise_alerts(parts)
    assert "what is held" in {alert.subject for alert in every_open(parts.alert_book)}
    assert "tampered" not in {alert.kind for alert in every_open(parts.alert_book)}, (
        "the champion is what was released; the ledger is not"
    )


def test_a_service_that_fails_more_than_promised_or_cannot_record_is_a_page_and_is_over_with_it(parts: Platform) -> None:
    figures = Service(
        read_at="", requests=1_000, failed=20, timed=1_000, quick=900, limit_seconds=0.1, p50_seconds=0.1, p99_seconds=1.0, late=7
    )
    parts.read_service = lambda: figures  # type: ignore[method-assign]
    parts.settings = parts.settings.model_copy(update={"service_metrics": "http://127.0.0.1:9/metrics"})
    raise_alerts(parts)
    severe = {alert.kind: alert.severity for alert in every_open(parts.alert_book) if alert.subject == "service"}
    assert severe == {"errors": "page", "latency": "warning", "unrecorded": "page"}

    parts.read_service = lambda: figures.model_copy(update={"failed": 0, "quick": 1_000, "late": 0})  # type: ignore[method-assign]
    raise_alerts(parts)
    assert [alert for alert in every_open(parts.alert_book) if alert.subject == "service"] == []


def test_the_list_of_alerts_changes_nothing_and_a_round_without_the_services_address_does_not_call_it_well(
    parts: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    away = parts.settings.model_copy(update={"service_metrics": "http://127.0.0.1:9/metrics"})
    here, parts.settings = parts.settings, away
    raise_alerts(parts)
    (alert,) = every_open(parts.alert_book)
    act(parts.alert_book, parts.ledger, parts.clock, "acknowledge", alert.id, by="ana", reason="restarting it")
    parts.settings = here
    raise_alerts(parts)
    assert [alert.acknowledged is not None for alert in every_open(parts.alert_book)] == [True]

    parts.alert_book.revise(MODEL, lambda _: opened([cause("hold", "2005-09")]))  # a round would close it
    before = every_open(parts.alert_book)
    monkeypatch.setenv("STEWARD_HOME", str(parts.settings.home))
    assert alerting.alerts(Namespace(model="")) is Ended.HELD
    assert "ana is at it" in capsys.readouterr().out
    assert every_open(parts.alert_book) == before
