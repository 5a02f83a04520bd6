"""Somebody writes to the decision log's tables: what the chain and the ledger show of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from models.clock import FixedClock, Month, end_of_day
from models.governance.ledger import Event
from monitoring.chain import DECISION, REVIEW, UNSEALED, ChainKeys, Link, mac, sealed
from monitoring.custody import begin, kept, logged, note
from monitoring.decisions import LoggedDecision, Review
from monitoring.retention import Archive, retain
from monitoring.rows import decision_rows
from monitoring.sealing import DECISIONS, seal_all
from tests.bundles import Office, fake_bundle
from tests.fakes.channel import FakeChannel
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.lake import InMemoryLake
from tests.fakes.ledger import FakeLedger
from tests.rings import LOG_KEYS, log_keys

MODEL, JULY, NOON = "credit_default", Month(2005, 7), datetime(2005, 8, 15, 12, tzinfo=UTC)
OTHER = {str: "another", int: 7, float: 0.5}


def decision(identity: str, at: datetime = NOON) -> LoggedDecision:
    return LoggedDecision(identity, MODEL, 1, "b" * 64, "p1_00", JULY, {"bill_0": 10.5, "status_0": 2}, 0.4, "review", at, "r")


class Home:
    """Three decisions, one of them reviewed, sealed and noted; `links` is what a reader of the database gets."""

    def __init__(self) -> None:
        self.log, self.lake, self.ledger = InMemoryDecisionLog(), InMemoryLake(), FakeLedger()
        self.log.append([decision("d1"), decision("d2"), decision("d3")])
        self.log.review(Review("d2", "keep", "r.lin", "INCOME", "salary slip", NOON))
        self.report()
        self.links = list(self.log.links())

    def report(self, at: datetime = NOON) -> None:
        seal_all(self.log, self.lake, MODEL, recorded_at=at)
        note(self.log, self.lake, self.ledger, MODEL, actor="pipeline", at=at)

    def findings(self, keys: ChainKeys = LOG_KEYS) -> list[str]:
        return [f"{found.where}: {found.problem}" for found in logged(self.links, self.ledger.entries(), lambda: keys)]

    def of(self, identity: str) -> int:
        return next(place for place, link in enumerate(self.links) if link.is_decision and link["decision_id"] == identity)

    def edit(self, place: int, name: str, value: Any) -> None:
        link = self.links[place]
        names = DECISION if link.is_decision else REVIEW
        self.links[place] = replace(link, row=tuple(value if n == name else v for n, v in zip(names, link.row, strict=True)))


@pytest.fixture
def home() -> Home:
    return Home()


def test_a_log_as_it_was_written_holds(home: Home) -> None:
    assert home.findings() == []


@pytest.mark.parametrize("name", DECISION)
def test_any_edited_field_of_a_decision_is_found_and_the_decision_named(home: Home, name: str) -> None:
    place = home.of("d2")
    home.edit(place, name, OTHER[type(home.links[place][name])])
    (found,) = home.findings()
    assert found.startswith(f"decision {home.links[place]['decision_id']}: ")
    assert "was edited" in found or "were edited" in found


def test_a_decision_outside_of_any_rollout_is_sealed_as_the_releases_do_that_know_none() -> None:
    """Fifteen fields, spelled as they spell them: their records hold here, and these hold there."""
    key = LOG_KEYS.newest()[0]
    (row,) = decision_rows([decision("d1")])
    before = row[: DECISION.index("arm")]
    spelled = json.dumps([*before[:6], mac(key, row[6]), *before[7:]], separators=(",", ":"))

    assert next(sealed(key, UNSEALED, [row])).chain == mac(key, spelled)


@pytest.mark.parametrize(("arm", "rollout"), [("canary", 3), ("control", 3), ("", 3), ("canary", 0)])
def test_the_arm_cannot_be_put_on_or_taken_off_a_decision_unseen(arm: str, rollout: int) -> None:
    key = LOG_KEYS.newest()[0]
    plainly, tried = decision_rows([decision("d1"), replace(decision("d1"), arm=arm, rollout=rollout)])

    assert len({next(sealed(key, UNSEALED, [row])).chain for row in (plainly, tried)}) == 2


@pytest.mark.parametrize("name", REVIEW)
def test_so_is_any_edited_field_of_a_review(home: Home, name: str) -> None:
    home.edit(3, name, "another")
    (found,) = home.findings()
    assert found.startswith("review of decision ")


def test_the_inputs_are_found_edited_although_only_their_hash_is_in_the_chain(home: Home) -> None:
    home.edit(home.of("d2"), "inputs", '{"bill_0":11.5,"status_0":2}')
    assert home.findings() == ["decision d2: its inputs were edited"]


def test_inputs_that_were_deleted_before_their_time_are_missed(home: Home) -> None:
    home.edit(home.of("d2"), "inputs", "")
    assert home.findings() == ["decision d2: its inputs were deleted, and the ledger has no retention that did it"]


def test_a_deleted_record_is_missed_where_it_stood(home: Home) -> None:
    del home.links[home.of("d2")]
    assert home.findings() == ["decision d3: 1 records before it were taken out"]


def test_a_record_that_was_taken_out_is_missed_although_the_others_were_numbered_anew(home: Home) -> None:
    """Nothing of this is in the ledger yet: the chain alone shows it."""
    last = home.of("d3")
    home.links[last] = replace(home.links[last], seal=replace(home.links[last].seal, place=2))
    del home.links[home.of("d2")]
    (found,) = logged([link for link in home.links if link.is_decision], [], log_keys)
    assert (found.where, found.problem) == ("decision d3", "it was edited, or is not the record that was written here")


def test_a_cut_off_end_shows_against_the_ledger(home: Home) -> None:
    del home.links[home.of("d3")]
    (found,) = home.findings()
    assert "1 records were taken from its end; ledger entry 1 knew them" in found


@pytest.mark.parametrize("is_decision", [True, False])
def test_a_lane_that_is_gone_shows_against_the_ledger(home: Home, is_decision: bool) -> None:
    home.links = [link for link in home.links if link.is_decision is not is_decision]
    (found,) = home.findings()
    assert f"all of its {3 if is_decision else 1} records are gone; ledger entry 1 knew them" in found


def inserted_without_a_seal(home: Home) -> None:
    home.links.insert(0, Link(UNSEALED, *decision_rows([decision("d9")])))


def inserted_in_another_s_place(home: Home) -> None:
    home.links.insert(home.of("d2"), replace(home.links[home.of("d1")], row=decision_rows([decision("d9")])[0]))


def inserted_under_a_key_of_their_own(home: Home) -> None:
    last = home.links[home.of("d3")].seal
    key = ChainKeys((b"x" * 32,)).of(last.lane)
    assert key
    row = decision_rows([decision("d9")])
    home.links.insert(home.of("d3") + 1, Link(next(iter(sealed(key, last, row))), row[0]))


def exchanged(home: Home) -> None:
    first, second = home.of("d1"), home.of("d2")
    rows = home.links[first].row, home.links[second].row
    home.links[first], home.links[second] = replace(home.links[first], row=rows[1]), replace(home.links[second], row=rows[0])


@pytest.mark.parametrize(
    "done", [inserted_without_a_seal, inserted_in_another_s_place, inserted_under_a_key_of_their_own, exchanged]
)
def test_what_somebody_put_in_is_found(home: Home, done: Callable[[Home], None]) -> None:
    done(home)
    assert home.findings()


def test_who_rewrote_everything_with_another_key_is_found_by_every_record(home: Home) -> None:
    forged = InMemoryDecisionLog([decision("d1"), decision("d2")], ChainKeys((b"x" * 32,)))
    home.links = list(forged.links())
    found = {each.partition(":")[0].partition(", ")[0] for each in home.findings()}
    assert found == {"decision d1", "decision d2", "decision log"}


def test_without_the_key_nothing_can_be_said(home: Home) -> None:
    assert all("there is no key of its generation here" in each for each in home.findings(ChainKeys(())))


def test_a_lane_goes_on_under_a_later_key_s_ring(home: Home) -> None:
    assert home.findings(ChainKeys((*LOG_KEYS.keys, b"n" * 32))) == []


def test_a_log_of_before_is_sealed_once_and_what_has_no_seal_later_is_found() -> None:
    log, ledger = InMemoryDecisionLog(), FakeLedger()
    log.decisions["d1"] = decision("d1")
    assert list(logged(log.links(), [], log_keys)) == []
    note(log, InMemoryLake(), ledger, MODEL, actor="pipeline", at=NOON)
    assert ledger.entries()[0].facts["adopted"] == 1
    log.decisions["d2"] = decision("d2")
    note(log, InMemoryLake(), ledger, MODEL, actor="pipeline", at=NOON)
    assert [found.where for found in logged(log.links(), ledger.entries(), log_keys)] == ["decision d2"]


def test_in_a_home_that_was_begun_with_seals_a_row_without_one_is_found_before_any_report() -> None:
    log, ledger = InMemoryDecisionLog([decision("d1"), decision("d2")]), FakeLedger()
    begin(ledger, FakeChannel(), actor="pipeline", at=NOON)
    assert list(logged(log.links(), ledger.entries(), log_keys)) == []
    log.seals = {key: seal for key, seal in log.seals.items() if "d2" not in key}
    assert [found.where for found in logged(log.links(), ledger.entries(), log_keys)] == ["decision d2"]
    note(log, InMemoryLake(), ledger, MODEL, actor="pipeline", at=NOON)
    assert [found.where for found in logged(log.links(), ledger.entries(), log_keys)] == ["decision d2"], (
        "a report adopts nothing"
    )


def test_a_home_is_begun_once_and_not_where_something_is_in_force_already() -> None:
    ledger, channel, old = FakeLedger(), FakeChannel(), FakeLedger()
    for _ in range(2):
        begin(ledger, channel, actor="pipeline", at=NOON)
    assert [(entry.event, entry.model, entry.facts["adopted"]) for entry in ledger.entries()] == [(Event.DECISIONS_SEALED, "", 0)]
    Office().promote(channel, fake_bundle(0.1))
    begin(old, channel, actor="pipeline", at=NOON)
    assert old.entries() == []


def test_nothing_is_noted_twice(home: Home) -> None:
    home.report(NOON + timedelta(days=1))
    assert [entry.event for entry in home.ledger.entries()] == [Event.DECISIONS_SEALED]


def test_retention_breaks_nothing(home: Home) -> None:
    day = date(2007, 9, 16)
    archive = Archive(home.log, home.lake, home.ledger, FixedClock(end_of_day(day)))
    assert retain(archive, MODEL, 25, "pipeline").decisions == {"2005-07": 3}
    home.links = list(home.log.links())
    assert [link["inputs"] for link in home.links if link.is_decision] == [""] * 3
    assert home.findings() == []
    assert list(kept(home.lake, home.ledger.entries(), MODEL)) == []


def test_sealed_months_that_are_gone_foreign_or_other_are_found(home: Home) -> None:
    entries = home.ledger.entries()
    assert list(kept(home.lake, entries, MODEL)) == []
    (gone,) = kept(InMemoryLake(), entries, MODEL)
    assert list(kept(home.lake, [], MODEL)) == [], "sealed before there were notes"
    (foreign,) = kept(home.lake, [replace(entries[0], facts={"lanes": {}, "sealed": []})], MODEL)
    columns = {**home.lake.read(home.lake.versions(DECISIONS))}
    columns["action"] = columns["action"][::-1].copy()
    columns["action"][0] = "keep"
    home.lake.write(DECISIONS, JULY, columns, recorded_at=NOON + timedelta(days=1), facts={"model": MODEL})
    (other,) = kept(home.lake, entries, MODEL)
    assert ("gone" in gone.problem, "not in the ledger" in foreign.problem, "version 2" in other.problem) == (True, True, True)


def test_who_has_the_key_too_cannot_rewrite_what_the_ledger_noted(home: Home) -> None:
    first, last = home.links[home.of("d2")].seal, home.links[home.of("d3")]
    key = LOG_KEYS.of(first.lane)
    assert key
    (row,) = decision_rows([replace(decision("d3"), action="keep")])
    home.links[home.of("d3")] = Link(next(iter(sealed(key, first, [row]))), row)
    assert last.row != row
    assert home.findings() == ["decision d3: it is not the one that ledger entry 1 noted"]
