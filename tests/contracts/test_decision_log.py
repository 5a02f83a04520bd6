"""What every decision log promises: the one in memory, SQLite and a real PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.clock import Month
from models.errors import Conflict, NotFound
from models.governance.explanation.reasons import Reason
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.custody import logged
from monitoring.decisions import NO_INPUTS, Answered, DecisionLog, Entry, LoggedDecision, Review, read_reasons
from tests.contracts.conftest import named, run_on
from tests.fakes.decisions import InMemoryDecisionLog
from tests.rings import log_keys

JULY = Month(2005, 7)
_numbers = count(1)


def decision(identity: str = "d1", **changes: Any) -> LoggedDecision:
    fields = {
        "decision_id": identity,
        "model": "credit_default",
        "version": 3,
        "bundle": "b" * 64,
        "account_id": "A00017",
        "month": JULY,
        "inputs": {"credit_limit": 50_000.0, "status_0": -1},
        "probability": 0.123456789,
        "action": "keep",
        "recorded_at": datetime(2005, 7, 31, 23, 59, 59, 999_999, UTC),
        "request_id": "r1",
    }
    return LoggedDecision(**fields | changes)


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DecisionLog]:
    if request.param == "memory":
        yield InMemoryDecisionLog()
        return
    opened = SqlDecisionLog(fresh(request.param, request.getfixturevalue, tmp_path), log_keys)
    yield opened
    opened.close()


def fresh(kind: str, fixture: Callable[[str], Any], folder: Path) -> str:
    """A copy of the migrated database: a migration for every test would cost more than the tests."""
    if kind == "sqlite":
        return f"sqlite:///{shutil.copy(fixture('migrated_sqlite'), folder / 'decisions.db')}"
    server, name = fixture("postgresql"), f"copy_{next(_numbers)}"
    fixture("migrated_postgresql")
    run_on(server, f"CREATE DATABASE {name} TEMPLATE migrated")
    return named(server, name)


def test_a_decision_is_found_as_it_was_answered(log: DecisionLog) -> None:
    log.append([decision("d1"), decision("d2", probability=0.5)])
    assert log.find("d1") == decision("d1")
    assert type(log.find("d1").inputs["status_0"]) is int
    assert type(log.find("d1").inputs["credit_limit"]) is float


def entry(*identities: str, key: str = "", response: bytes = b"{}") -> Entry:
    return Entry([decision(each) for each in identities], Answered(key, "digest", response) if key else None)


def test_of_what_is_appended_again_only_what_is_missing_is_added_and_in_its_order(log: DecisionLog) -> None:
    first, second, third = entry("d1", "d2", key="m:a"), entry("d3"), entry("d4", key="m:b")
    log.append_all([first])
    for _ in range(2):
        log.append_missing([first, second, third])
    assert log.columns("credit_default", JULY)["decision_id"].tolist() == ["d1", "d2", "d3", "d4"]
    assert log.answered("m:b") == third.answered
    assert list(logged(log.links(), [], log_keys)) == []


def test_of_a_key_that_two_entries_used_the_first_answer_stays_and_all_decisions_are_there(log: DecisionLog) -> None:
    log.append_all([entry("d1", key="m:a", response=b"first")])
    log.append_missing([entry("d2", key="m:a"), entry("d3", key="m:b", response=b"first"), entry("d4", key="m:b")])
    assert log.columns("credit_default", JULY)["decision_id"].tolist() == ["d1", "d2", "d3", "d4"]
    kept = [log.answered(key) for key in ("m:a", "m:b")]
    assert [each.response for each in kept if each] == [b"first", b"first"]


def test_more_than_a_database_takes_in_one_query_can_be_appended_again(log: DecisionLog) -> None:
    many = [entry(f"d{number}", key=f"m:{number}") for number in range(1_200)]
    log.append_all(many[:1_100])
    log.append_missing(many)
    assert log.months("credit_default") == {JULY: 1_200}


def reviewing(identity: str = "d1", **changes: Any) -> Review:
    said: dict[str, Any] = {"outcome": "keep", "reviewer": "r.lin", "reason_code": "INCOME", "comment": "salary slip, 傳真"}
    return Review(identity, **{**said, "recorded_at": datetime(2005, 8, 2, 9, tzinfo=UTC), **changes})


def test_what_was_out_of_distribution_is_found_with_its_decision(log: DecisionLog) -> None:
    log.append([decision("d1", action="review", out_of_distribution=("bill_0", "status_1")), decision("d2")])
    assert log.find("d1").out_of_distribution == ("bill_0", "status_1")
    assert log.find("d2").out_of_distribution == ()


def test_what_a_person_decided_is_kept_with_the_decision(log: DecisionLog) -> None:
    log.append([decision("d1", action="review")])
    assert log.reviewed("d1") is None
    assert log.review(reviewing()) == reviewing()
    assert log.reviewed("d1") == reviewing()


def test_a_review_said_again_is_the_first_one(log: DecisionLog) -> None:
    log.append([decision("d1", action="review")])
    log.review(reviewing())
    later = reviewing(recorded_at=datetime(2005, 8, 3, tzinfo=UTC))
    assert log.review(later) == log.reviewed("d1") == reviewing()


@pytest.mark.parametrize(
    "other", [{"outcome": "reduce"}, {"reviewer": "c.wu"}, {"reason_code": "OTHER"}, {"comment": "no salary slip"}]
)
def test_a_second_different_review_is_refused_and_changes_nothing(log: DecisionLog, other: dict[str, str]) -> None:
    log.append([decision("d1", action="review")])
    log.review(reviewing())
    with pytest.raises(Conflict, match=r"was reviewed by r\.lin with the outcome keep"):
        log.review(reviewing(**other))
    assert log.reviewed("d1") == reviewing()


def test_only_a_decision_that_was_sent_to_a_person_takes_a_review(log: DecisionLog) -> None:
    log.append([decision("d1", action="reduce")])
    with pytest.raises(Conflict, match="nobody was asked"):
        log.review(reviewing())
    with pytest.raises(NotFound, match="unknown"):
        log.review(reviewing("unknown"))
    with pytest.raises(NotFound, match="unknown"):
        log.reviewed("unknown")


def test_of_two_reviewers_at_once_one_is_kept_and_the_other_told(log: DecisionLog) -> None:
    log.append([decision("d1", action="review")])

    def say(outcome: str) -> str:
        try:
            return log.review(reviewing(outcome=outcome)).outcome
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(8) as people:
        said = list(people.map(say, ["keep", "reduce"] * 8))
    kept = log.reviewed("d1")
    assert kept is not None
    assert sorted(said) == sorted([kept.outcome] * 8 + ["refused"] * 8)


def test_the_reasons_of_a_decision_are_found_and_sealed_as_they_were_given(log: DecisionLog) -> None:
    reasons = (
        Reason("R1", "repayment status", "Zahlung verspätet: “two months”", 1.074606346),
        Reason("R4", "credit limit", "Level of the credit limit", 0.035711369, confirmed=False),
    )
    log.append([decision("d1", action="reduce", no_notice="12 CFR 1002.2(c)(2)(ii)", reasons=reasons), decision("d2")])
    assert (log.find("d1").reasons, log.find("d1").no_notice) == (reasons, "12 CFR 1002.2(c)(2)(ii)")
    assert (log.find("d2").reasons, log.find("d2").no_notice) == ((), "")
    columns = log.columns("credit_default", JULY)
    assert columns["no_notice"].tolist() == ["12 CFR 1002.2(c)(2)(ii)", ""]
    assert [read_reasons(text) for text in columns["reasons"].tolist()] == [reasons, ()]


def test_an_instant_of_another_time_zone_is_kept_as_the_same_instant(log: DecisionLog) -> None:
    taipei = datetime.fromisoformat("2005-08-01T07:59:59+08:00")
    log.append([decision("d1", recorded_at=taipei)])
    assert log.find("d1").recorded_at == taipei
    assert log.columns("credit_default", JULY)["recorded_at"].tolist() == ["2005-07-31T23:59:59.000000+00:00"]


def test_a_decision_that_was_never_made_is_not_found(log: DecisionLog) -> None:
    with pytest.raises(NotFound, match="'d9'"):
        log.find("d9")


def test_a_month_comes_as_typed_columns_in_the_order_recorded(log: DecisionLog) -> None:
    late = datetime(2005, 8, 1, tzinfo=UTC)
    log.append([decision("z"), decision("a", inputs={"credit_limit": 70_000.0, "status_0": 2}, action="reduce")])
    log.append([decision("m", recorded_at=late), decision("other", month=Month(2005, 8)), decision("else", model="other")])
    columns = log.columns("credit_default", JULY)
    assert columns["decision_id"].tolist() == ["z", "a", "m"]
    assert columns["account_id"].tolist() == ["A00017"] * 3
    assert columns["action"].tolist() == ["keep", "reduce", "keep"]
    assert columns["bundle"].tolist() == ["b" * 64] * 3
    assert columns["recorded_at"].tolist()[1:] == ["2005-07-31T23:59:59.999999+00:00", "2005-08-01T00:00:00.000000+00:00"]
    assert (columns["version"].dtype, columns["version"].tolist()) == (np.int64, [3, 3, 3])
    assert (columns["probability"].dtype, columns["probability"].tolist()) == (np.float64, [0.123456789] * 3)
    assert (columns["status_0"].dtype, columns["status_0"].tolist()) == (np.int64, [-1, 2, -1])
    assert (columns["credit_limit"].dtype, columns["credit_limit"].tolist()) == (np.float64, [50_000.0, 70_000.0, 50_000.0])


def test_an_empty_month_has_columns_without_rows(log: DecisionLog) -> None:
    columns = log.columns("credit_default", JULY)
    assert {name: len(values) for name, values in columns.items()} == dict.fromkeys(NO_INPUTS, 0)


def test_where_two_contracts_meet_in_a_month_the_missing_value_is_nan(log: DecisionLog) -> None:
    log.append([decision("d1", inputs={"old": 1, "both": 2}), decision("d2", inputs={"both": 3, "new": 4})])
    columns = log.columns("credit_default", JULY)
    np.testing.assert_array_equal(columns["old"], [1.0, np.nan])
    np.testing.assert_array_equal(columns["new"], [np.nan, 4.0])
    assert columns["both"].dtype == np.int64


def test_months_are_counted_oldest_first(log: DecisionLog) -> None:
    august = Month(2005, 8)
    log.append([decision("d1", month=august), decision("d2"), decision("d3", month=august), decision("d4", model="other")])
    assert list(log.months("credit_default").items()) == [(JULY, 1), (august, 2)]


def test_a_decision_id_counts_once_and_its_batch_falls_with_it(log: DecisionLog) -> None:
    log.append([decision("d1")])
    with pytest.raises(Conflict, match="decision id"):
        log.append([decision("d2"), decision("d1")])
    with pytest.raises(NotFound):
        log.find("d2")


def test_an_answer_is_kept_with_its_decisions(log: DecisionLog) -> None:
    answered = Answered("credit_default:k1", "digest", b'{"answer": "\xc3\xa9"}')
    log.append([decision("d1")], answered)
    assert log.answered("credit_default:k1") == answered
    assert log.answered("credit_default:k2") is None


def test_an_idempotency_key_counts_once_and_the_second_batch_falls_with_it(log: DecisionLog) -> None:
    log.append([decision("d1")], Answered("k1", "first", b"1"))
    with pytest.raises(Conflict, match="'k1'"):
        log.append([decision("d2")], Answered("k1", "second", b"2"))
    with pytest.raises(NotFound):
        log.find("d2")
    answered = log.answered("k1")
    assert answered is not None
    assert answered.response == b"1"


def test_the_entries_of_several_requests_are_kept_together_or_not_at_all(log: DecisionLog) -> None:
    log.append_all([Entry([decision("d1")], Answered("k1", "digest", b"1")), Entry([decision("d2"), decision("d3")])])
    assert (log.find("d1").decision_id, log.find("d3").decision_id) == ("d1", "d3")
    assert log.answered("k1") == Answered("k1", "digest", b"1")

    with pytest.raises(Conflict):
        log.append_all([Entry([decision("d4")]), Entry([decision("d5")], Answered("k1", "other", b"2"))])
    with pytest.raises(NotFound):
        log.find("d4")
    assert [link.row[0] for link in log.links()] == ["d1", "d2", "d3"]


def test_of_many_retries_at_once_exactly_one_is_recorded(log: DecisionLog) -> None:
    def retry(number: int) -> bool:
        try:
            log.append([decision(f"d{number}")], Answered("k1", "digest", str(number).encode()))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, first in enumerate(pool.map(retry, range(8))) if first]
    answered = log.answered("k1")
    assert answered is not None
    assert [answered.response] == [str(number).encode() for number in won]
    assert log.months("credit_default") == {JULY: 1}


def test_writers_at_the_same_time_lose_nothing(log: DecisionLog) -> None:
    def write(writer: int) -> None:
        for batch in range(5):
            log.append([decision(f"{writer}-{batch}-{row}") for row in range(20)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    columns = log.columns("credit_default", JULY)
    assert len(set(columns["decision_id"].tolist())) == 8 * 5 * 20


def test_a_large_batch_arrives_whole(log: DecisionLog) -> None:
    start = datetime(2005, 7, 1, tzinfo=UTC)
    batch = [decision(f"d{row:05d}", recorded_at=start + timedelta(seconds=row % 7)) for row in range(10_000)]
    log.append(batch)
    assert log.columns("credit_default", JULY)["decision_id"].tolist() == [row.decision_id for row in batch]


def test_a_log_that_answers_says_so(log: DecisionLog) -> None:
    log.ping()
    assert log.months("credit_default") == {}


AUGUST_1 = datetime(2005, 8, 1, tzinfo=UTC)


def test_a_sealed_decision_says_who_answered_and_what_was_strange(log: DecisionLog) -> None:
    log.append([decision("d1", fallback="a drill", out_of_distribution=("bill_0", "status_1")), decision("d2")])
    columns = log.columns("credit_default", JULY)
    assert columns["fallback"].tolist() == ["a drill", ""]
    assert columns["out_of_distribution"].tolist() == ["bill_0,status_1", ""]


def test_inputs_expire_and_the_decision_stays(log: DecisionLog) -> None:
    log.append([decision("d1"), decision("d2", recorded_at=AUGUST_1)])
    log.expire("credit_default", AUGUST_1)
    assert log.find("d1") == decision("d1", inputs={})
    assert log.find("d2") == decision("d2", recorded_at=AUGUST_1)


def test_a_month_of_which_some_inputs_expired_has_nothing_in_their_place(log: DecisionLog) -> None:
    log.append([decision("d1"), decision("d2", recorded_at=AUGUST_1)])
    log.expire("credit_default", AUGUST_1)
    columns = log.columns("credit_default", JULY)
    assert np.isnan(columns["credit_limit"][0])
    assert columns["credit_limit"][1] == 50_000.0
    log.expire("credit_default", AUGUST_1 + timedelta(days=1))
    assert set(log.columns("credit_default", JULY)) == set(NO_INPUTS)


def test_what_would_expire_is_counted_by_month_and_only_once(log: DecisionLog) -> None:
    june = Month(2005, 6)
    log.append([decision("d1"), decision("d2", month=june), decision("d3", month=june), decision("d4", model="other")])
    log.append([decision("d5", recorded_at=AUGUST_1)])
    assert log.expiring("credit_default", AUGUST_1).decisions == {june: 2, JULY: 1}
    log.expire("credit_default", AUGUST_1)
    assert log.expiring("credit_default", AUGUST_1).decisions == {}
    assert log.find("d4").inputs


def test_answers_for_retries_expire_with_what_they_answered(log: DecisionLog) -> None:
    log.append([decision("d1")], Answered("credit_default:old", "digest", b"{}"))
    log.append([decision("d2", recorded_at=AUGUST_1)], Answered("credit_default:new", "digest", b"{}"))
    log.append([decision("d3", model="credit-default")], Answered("credit-default:old", "digest", b"{}"))
    assert log.expiring("credit_default", AUGUST_1).answers == 1
    log.expire("credit_default", AUGUST_1)
    assert log.answered("credit_default:old") is None
    assert log.answered("credit_default:new")
    assert log.answered("credit-default:old")


def test_what_was_reviewed_later_expires_later(log: DecisionLog) -> None:
    log.append([decision("d1", action="review"), decision("d2", action="review"), decision("d3", model="other", action="review")])
    for name in ("d1", "d3"):
        log.review(reviewing(name, recorded_at=AUGUST_1))
    assert log.reviewed_since("credit_default", AUGUST_1) == {"d1"}
    assert log.reviewed_since("credit_default", AUGUST_1 + timedelta(seconds=1)) == set()
    assert log.expiring("credit_default", AUGUST_1).decisions == {JULY: 1}
    log.expire("credit_default", AUGUST_1)
    assert (bool(log.find("d1").inputs), bool(log.find("d2").inputs)) == (True, False)
    log.expire("credit_default", AUGUST_1 + timedelta(seconds=1))
    assert not log.find("d1").inputs


def walked(log: DecisionLog) -> list[str]:
    """What the chain's check says of everything in the log."""
    return [f"{found.where}: {found.problem}" for found in logged(log.links(), [], log_keys)]


def test_every_record_is_sealed_after_the_one_before_it(log: DecisionLog) -> None:
    log.append([decision("d1", action="review"), decision("d2", reasons=(Reason("R1", "g", "Zahlung verspätet", 1 / 3),))])
    log.append([decision("d3", out_of_distribution=("bill_0",), fallback="a drill")])
    log.review(reviewing("d1", outcome="reduce", statement="傳真", reasons=(Reason("R1", "g", "t", 0.1),), no_notice="rule"))
    assert log.reviewed("d1") == reviewing(
        "d1", outcome="reduce", statement="傳真", reasons=(Reason("R1", "g", "t", 0.1),), no_notice="rule"
    )
    links = list(log.links())
    assert [(link.is_decision, link["decision_id"], link.seal.place) for link in links] == [
        (True, "d1", 1),
        (True, "d2", 2),
        (True, "d3", 3),
        (False, "d1", 1),
    ]
    assert log.heads() == {links[at].seal.lane: replace(links[at].seal, inputs="") for at in (2, 3)}
    assert walked(log) == []


def test_a_batch_that_was_refused_leaves_no_gap(log: DecisionLog) -> None:
    log.append([decision("d1", action="review")])
    with pytest.raises(Conflict):
        log.append([decision("d2"), decision("d1")])
    log.append([decision("d3")])
    assert [link.seal.place for link in log.links()] == [1, 2]
    assert walked(log) == []


def test_writers_at_the_same_time_leave_whole_lanes(log: DecisionLog) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: log.append([decision(f"{number}-{row}") for row in range(3)]), range(40)))
    assert len(list(log.links())) == 120
    assert walked(log) == []


def test_inputs_that_expired_leave_the_chain_whole(log: DecisionLog) -> None:
    log.append([decision("d1"), decision("d2", recorded_at=AUGUST_1)])
    log.expire("credit_default", AUGUST_1)
    assert [found.partition(": ")[2][:29] for found in walked(log)] == ["its inputs were deleted, and t"[:29]]


def test_a_decision_comes_with_the_one_before_it_in_its_lane(log: DecisionLog) -> None:
    log.append([decision("d1"), decision("d2")])
    assert [link["decision_id"] for link in log.linked("d1")] == ["d1"]
    assert [link["decision_id"] for link in log.linked("d2")] == ["d1", "d2"]
    assert log.linked("d9") == []


def test_a_review_comes_with_the_one_before_it_in_its_lane(log: DecisionLog) -> None:
    log.append([decision(name, action="review") for name in ("d1", "d2", "d3")])
    for name in ("d2", "d1"):
        log.review(reviewing(name))
    assert [link["decision_id"] for link in log.linked_review("d1")] == ["d2", "d1"]
    assert [link["decision_id"] for link in log.linked_review("d2")] == ["d2"]
    assert log.linked_review("d3") == []


def test_what_is_sealed_is_not_adopted_again(log: DecisionLog) -> None:
    log.append([decision("d1")])
    before = list(log.links())
    assert log.adopt() == 0
    assert list(log.links()) == before


def test_an_account_s_decisions_are_found_under_any_of_its_pseudonyms(log: DecisionLog) -> None:
    stored = {"d1": "p1_aa", "d2": "p2_bb", "d3": "p1_cc", "d4": "p1_aa"}
    log.append([decision(name, account_id=account) for name, account in stored.items()])
    log.append([decision("d5", account_id="p1_aa", model="other")])
    assert [found.decision_id for found in log.of_account("credit_default", ["p1_aa", "p2_bb"])] == ["d1", "d2", "d4"]
