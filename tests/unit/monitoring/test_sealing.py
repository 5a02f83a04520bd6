from dataclasses import replace
from datetime import UTC, datetime, timedelta

from models.clock import Month
from monitoring.decisions import LoggedDecision
from monitoring.sealing import DECISIONS, find_sealed, seal_all, seal_decisions
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.lake import InMemoryLake

JULY, AUGUST = Month(2005, 7), Month(2005, 8)
NIGHT = datetime(2005, 8, 1, 3, tzinfo=UTC)


def decision(number: int, month: Month = JULY, model: str = "credit_default") -> LoggedDecision:
    return LoggedDecision(
        decision_id=f"d{number}",
        model=model,
        version=1,
        bundle="b" * 64,
        account_id=f"A{number}",
        month=month,
        inputs={"bill_0": 10.0, "status_0": 0},
        probability=0.1,
        action="keep",
        recorded_at=NIGHT,
        request_id="r",
    )


def test_a_sealed_month_holds_every_decision_of_its_model() -> None:
    log, lake = InMemoryDecisionLog([decision(1), decision(2), decision(3, AUGUST), decision(4, model="other")]), InMemoryLake()
    sealed = seal_decisions(log, lake, "credit_default", JULY, recorded_at=NIGHT)

    assert sealed
    assert lake.read([sealed])["account_id"].tolist() == ["A1", "A2"]
    assert sealed.facts == {"model": "credit_default"}


def test_sealing_again_changes_nothing_until_a_decision_arrives_late() -> None:
    log, lake = InMemoryDecisionLog([decision(1)]), InMemoryLake()
    first = seal_decisions(log, lake, "credit_default", JULY, recorded_at=NIGHT)
    again = seal_decisions(log, lake, "credit_default", JULY, recorded_at=NIGHT + timedelta(days=1))
    log.append([decision(2)])
    late = seal_decisions(log, lake, "credit_default", JULY, recorded_at=NIGHT + timedelta(days=2))

    assert first == again
    assert late
    assert (late.version, late.rows) == (2, 2)
    assert lake.versions(DECISIONS, known_at=NIGHT) == [first]


def test_a_sealed_month_says_the_arms_of_a_rollout_and_nothing_of_it_where_there_was_none() -> None:
    lake = InMemoryLake()
    plainly = seal_decisions(InMemoryDecisionLog([decision(1)]), lake, "credit_default", JULY, recorded_at=NIGHT)
    tried = replace(decision(2), arm="canary", rollout=3)
    sealed = seal_decisions(InMemoryDecisionLog([decision(1), tried]), lake, "credit_default", JULY, recorded_at=NIGHT)

    assert plainly
    assert sealed
    assert not {"arm", "rollout"} & lake.read([plainly]).keys()
    assert lake.read([sealed])["arm"].tolist() == ["", "canary"]
    assert find_sealed(lake, "d2")[1] == replace(tried, request_id="")


def test_a_month_without_decisions_is_not_sealed() -> None:
    lake = InMemoryLake()
    assert seal_decisions(InMemoryDecisionLog(), lake, "credit_default", JULY, recorded_at=NIGHT) is None
    assert lake.versions(DECISIONS) == []


def test_all_months_are_sealed_oldest_first() -> None:
    log = InMemoryDecisionLog([decision(1, AUGUST), decision(2, JULY)])
    assert [part.month for part in seal_all(log, InMemoryLake(), "credit_default", recorded_at=NIGHT)] == [JULY, AUGUST]
