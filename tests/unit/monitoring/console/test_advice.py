"""The next step: for every kind of finding its own reason, and nothing that the ledger already settled."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from models.governance.ledger import Entry, Event
from monitoring.console.pages.advice import NextStep, Situation, next_step
from monitoring.verdict import Finding, Kind, Level, Suggestion, Verdict, weigh
from tests.fakes.ledger import FakeLedger

MODEL = "credit_default"
REPORTED = datetime(2005, 10, 1, tzinfo=UTC)
BEFORE, AFTER = REPORTED - timedelta(days=1), REPORTED + timedelta(days=1)
RETRAIN = "Retrain as of now"

# Kind, level, subject: the words of the reason that must stand, and the command.
REASONS: list[tuple[Kind, Level, str, str, str]] = [
    ("missing", Level.RED, "2005-09", "nothing was decided in 2005-09", "make serve"),
    ("snapshots_late", Level.RED, "2005-09", "for the accounts of 2005-09", "make ingest"),
    ("decisions_late", Level.RED, "2005-09", "why nothing was decided on 2005-09", "make serve"),
    ("outcomes_late", Level.RED, "2005-09", "for the outcomes of 2005-09", "make ingest"),
    ("report_late", Level.AMBER, "", "why the schedule did not", "make report"),
    ("volume", Level.RED, "2005-09", "which accounts were sent in 2005-09", ""),
    ("duplicate_batch", Level.RED, "2005-09", "who sent a batch of 2005-09 twice", ""),
    ("repeated_accounts", Level.AMBER, "2005-09", "which of the records of an account in 2005-09", ""),
    ("stuck_upstream", Level.RED, "2005-09", "Do not act on 2005-09", "make ingest"),
    ("skew", Level.RED, "2005-09", "which is right for 2005-09", ""),
    ("not_reproduced", Level.RED, "2005-09", "whether the log of 2005-09 was edited", "make verify"),
    ("constant_score", Level.RED, "probability", "its probability says nothing", "make stop"),
    ("unit_change", Level.RED, "bill_0", "in which unit bill_0 comes now", "make stop"),
    ("tampered", Level.RED, "champion", "Find out who wrote on the release channel", "make verify"),
    ("unavailable", Level.RED, "service", "Start the service", "make serve"),
    ("errors", Level.RED, "service", "Read the log of the service", ""),
    ("latency", Level.AMBER, "service", "the load of the service", ""),
    ("unrecorded", Level.RED, "service", "the database of the decision log", ""),
    ("unreadable", Level.RED, "what is held", "why it cannot be seen what is held", "make verify"),
    ("no_value", Level.RED, "bill_0", "records without bill_0", ""),
    ("out_of_range", Level.RED, "bill_0", "wrote bill_0 outside", ""),
    ("unseen_code", Level.RED, "status_0", "unknown codes of status_0 mean", ""),
    ("code_mix", Level.RED, "status_0", "why the coding of status_0 has changed", "make ingest"),
    ("definition", Level.AMBER, "2005-08", "what counts as bad since 2005-08", "make accept-definition"),
    ("not_comparable", Level.AMBER, "2005-08", "the new outcome of 2005-08", "make accept-definition"),
    ("insufficient", Level.AMBER, "2005-09", "so few", ""),
    ("other_bundles", Level.GREEN, "2005-09", "Nothing to do.", ""),
    ("input_shift", Level.AMBER, "bill_0", "whether bill_0 moves on", ""),
    ("input_shift", Level.RED, "bill_0", RETRAIN, "make retrain"),
    ("score_shift", Level.AMBER, "score", "whether the score moves on", ""),
    ("score_shift", Level.RED, "score", RETRAIN, "make retrain"),
    ("decision_shift", Level.AMBER, "action", "the new mix", ""),
    ("favourable_rate", Level.AMBER, "all", "favourable decisions are what the policy wants (all)", ""),
    ("reason_mix", Level.AMBER, "reasons", "other reasons stand first", ""),
    ("segment_shift", Level.AMBER, "current", "the segment current", ""),
    ("since_first", Level.AMBER, "score", "the score with the first approved", ""),
    ("auc_drop", Level.RED, "all", RETRAIN, "make retrain"),
    ("calibration", Level.RED, "all", RETRAIN, "make retrain"),
    ("hold", Level.HELD, "2005-09", "accepted", ""),
]
TOO_LITTLE = "so few"


def verdict(*found: tuple[Kind, Level, str]) -> Verdict:
    return weigh([Finding(kind=kind, level=level, subject=about, text="Seen.") for kind, level, about in found], quiet="Quiet.")


@pytest.mark.parametrize(
    ("said", "sentence", "command"),
    [
        ({"alerts": ["Scores jumped.", "Late."], "late": True}, "See to the open alert: Scores jumped.", "make alerts"),
        ({"late": True}, "Report on the model now, and see why the schedule did not.", "make report"),
    ],
)
def test_after_a_good_month_there_is_something_to_do_while_an_alert_is_open_or_a_report_late(
    said: dict[str, Any], sentence: str, command: str
) -> None:
    assert next_step(Situation(verdict(), reported_at=REPORTED.isoformat(), **said)) == NextStep(sentence, command)


def step(found: Verdict | None, entries: list[Entry] | None = None, **changes: Any) -> NextStep:
    return next_step(Situation(verdict=found, reported_at=REPORTED.isoformat(), entries=entries or [], **changes))


def entries(*noted: tuple[Event, datetime, Mapping[str, Any]]) -> list[Entry]:
    ledger = FakeLedger()
    for event, at, facts in noted:
        ledger.append(event, model=MODEL, actor="Ada", at=at, facts=facts)
    return ledger.entries(MODEL)


def test_every_kind_of_finding_has_its_reason_written_down() -> None:
    assert {kind for kind, *_ in REASONS} == set(get_args(Kind))


@pytest.mark.parametrize(("kind", "level", "about", "reason", "command"), REASONS)
def test_the_reason_fits_what_was_found(kind: Kind, level: Level, about: str, reason: str, command: str) -> None:
    said = step(verdict((kind, level, about)))
    assert reason in said.sentence
    assert said.command.startswith(command)
    assert bool(said.command) == bool(command)
    assert (TOO_LITTLE in said.sentence) == (kind == "insufficient")


def test_a_coding_change_is_never_said_to_rest_on_too_little() -> None:
    said = step(verdict(("insufficient", Level.AMBER, "2005-09"), ("code_mix", Level.RED, "status_0")))
    assert "the coding of status_0 has changed" in said.sentence
    assert TOO_LITTLE not in said.sentence


def test_the_cause_is_said_before_its_symptom_and_all_columns_together() -> None:
    found = verdict(("auc_drop", Level.RED, "all"), ("code_mix", Level.RED, "status_0"), ("code_mix", Level.RED, "status_1"))
    assert "the coding of status_0 and status_1 has changed" in step(found).sentence


def test_a_quiet_month_needs_nothing() -> None:
    assert step(verdict()) == NextStep("Nothing to do.")


HELD = {"month": "2005-09", "what": "the coding of status_0 seems to have changed", "column": "status_0"}
RECODED = verdict(("code_mix", Level.RED, "status_0"))


def test_an_open_hold_names_its_month_its_command_and_how_many_more_there_are() -> None:
    other = HELD | {"what": "the coding of status_1 seems to have changed", "column": "status_1"}
    said = step(RECODED, entries((Event.HOLD_OPENED, BEFORE, HELD), (Event.HOLD_OPENED, BEFORE, other)))
    assert said.sentence == (
        "Look at the validation of 2005-09 (status_0) and 2005-09 (status_1), then accept what changed or keep holding. "
        "1 more waits: make holds."
    )
    assert said.command.startswith("make accept-input MONTH=2005-09 COLUMN=status_0")


def test_a_verdict_older_than_what_a_person_accepted_is_to_be_given_anew() -> None:
    opened = (Event.HOLD_OPENED, BEFORE, HELD)
    assert step(RECODED, entries(opened, (Event.HOLD_RELEASED, AFTER, HELD))).command == "make report"
    assert step(RECODED, entries(opened, (Event.HOLD_RELEASED, BEFORE, HELD))).command == "make ingest"


ACCEPTED = (Event.DEFINITION_ACCEPTED, BEFORE, {"version": 2, "codings": ["repayment_status"]})
MADE = (Event.REGISTERED, BEFORE, {"version": 2, "bundle": "b"})


def test_a_definition_accepted_after_the_model_was_made_is_to_be_trained_on() -> None:
    said = step(verdict(), entries(MADE, ACCEPTED))
    assert (said.command, "definition 2" in said.sentence) == ("make retrain", True)
    assert step(verdict(), entries(ACCEPTED, MADE)) == NextStep("Nothing to do.")


def test_an_accepted_change_of_definition_is_not_asked_about_again() -> None:
    found = verdict(("definition", Level.AMBER, "2005-08"))
    assert found.suggests is Suggestion.WAIT
    assert step(found, entries(ACCEPTED, MADE)).sentence == "Nothing to do: a person has accepted what had changed."


ASKED = (Event.REQUESTED, AFTER, {"version": 3, "bundle": "c"})


@pytest.mark.parametrize("champion", [True, False])
def test_a_version_that_waits_for_approval_comes_before_the_verdict(champion: bool) -> None:
    said = step(verdict(("auc_drop", Level.RED, "all")), entries(ASKED), champion=champion)
    assert (said.command, "Version 3 waits for approval" in said.sentence) == ("make requests", True)


@pytest.mark.parametrize("decided", [Event.PROMOTED, Event.REJECTED])
def test_a_version_that_was_decided_on_waits_no_more(decided: Event) -> None:
    found = entries(ASKED, (decided, AFTER, {"version": 3, "bundle": "c"}))
    assert step(verdict(), found) == NextStep("Nothing to do.")


def test_a_stopped_model_is_looked_after_first() -> None:
    said = step(verdict(), entries((Event.HOLD_OPENED, BEFORE, HELD)), stopped="wrong prices since noon.")
    assert "The model is stopped: wrong prices since noon. Let it answer again" in said.sentence
    assert said.command.startswith("make resume")


def test_where_something_could_not_be_verified_nothing_is_called_fine() -> None:
    assert "First settle the problem" in step(verdict(), trouble=True).sentence


def test_without_a_report_or_a_champion_the_way_on_is_said() -> None:
    assert step(None).command == "make report"
    assert step(None, champion=False).command == "make train"


def test_a_replay_is_told_only_what_can_be_done_in_it() -> None:
    red = step(verdict(("auc_drop", Level.RED, "all")), scenario="2005")
    assert (red.command, "A replay" in red.sentence) == ("", True)
    assert step(None, scenario="2005").command == "make report SCENARIO=2005"
