"""What every keeper of a roll-out's figures must do, the one in memory too."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.adapters.sql_trials import SqlTrials
from monitoring.custody import logged
from monitoring.decisions import DecisionLog, LoggedDecision
from monitoring.trials import Decided, Pair, Shadow, Trials
from tests.contracts.test_decision_log import JULY, decision, fresh
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.trials import InMemoryTrials
from tests.rings import log_keys

NIGHT = datetime(2005, 8, 1, tzinfo=UTC)
CHAMPION, CHALLENGER = "b" * 64, "c" * 64
Kept = tuple[DecisionLog, Trials]


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "memory":
        log = InMemoryDecisionLog()
        yield log, InMemoryTrials(log)
        return
    opened = SqlDecisionLog(fresh(request.param, request.getfixturevalue, tmp_path), log_keys)
    yield opened, SqlTrials(opened)
    opened.close()


def shadow(of: str, **changes: Any) -> Shadow:
    said = {"model": "credit_default", "rollout": 1, "version": 4, "bundle": CHALLENGER, "action": "reduce", "probability": 0.4}
    return Shadow(of, **{**said, "recorded_at": NIGHT, **changes})


def test_a_shadow_is_found_with_the_decision_that_it_belongs_to(kept: Kept) -> None:
    log, trials = kept
    log.append([decision("d1", account_id="A1"), decision("d2", account_id="A2", action="review")])
    trials.keep([shadow("d2", decided_in=0.001, scored_in=0.002), shadow("d1", action="", probability=None)])
    trials.keep([shadow("d1", rollout=2), shadow("d1", model="another")])

    assert trials.pairs("credit_default", 1) == [
        Pair("A2", CHAMPION, "review", CHALLENGER, "reduce", 0.001, 0.002),
        Pair("A1", CHAMPION, "keep", CHALLENGER, "", None, None),
    ]


def test_a_shadow_of_a_decision_that_waits_in_a_spool_is_found_when_that_has_arrived(kept: Kept) -> None:
    log, trials = kept
    trials.keep([shadow("d1")])
    assert trials.pairs("credit_default", 1) == []
    log.append([decision("d1")])
    assert len(trials.pairs("credit_default", 1)) == 1


def test_a_shadow_is_no_decision(kept: Kept) -> None:
    log, trials = kept
    log.append([decision("d1")])
    trials.keep([shadow("d1")])
    trials.keep([])

    assert log.months("credit_default") == {JULY: 1}
    assert log.columns("credit_default", JULY)["bundle"].tolist() == [CHAMPION]
    assert list(logged(log.links(), [], log_keys)) == []


def test_the_decisions_of_a_canary_say_their_arm_and_what_the_challenger_failed_at(kept: Kept) -> None:
    log, trials = kept
    log.append([decision("d0"), arm("d1", "control"), arm("d2", "canary", bundle=CHALLENGER), arm("d3", "canary")])
    log.append([arm("d4", "canary", rollout=6), arm("d5", "control", model="another")])

    assert trials.decided("credit_default", 5, CHALLENGER) == [
        Decided("A00017", JULY, "control", "keep", 0.123456789, failed=False),
        Decided("A00017", JULY, "canary", "keep", 0.123456789, failed=False),
        Decided("A00017", JULY, "canary", "keep", 0.123456789, failed=True),
    ]


def arm(identity: str, name: str, **changes: Any) -> LoggedDecision:
    return decision(identity, **{"arm": name, "rollout": 5, **changes})


def test_arm_and_rollout_come_back_with_the_decision_and_are_sealed_with_it(kept: Kept) -> None:
    log, _ = kept
    log.append([arm("d1", "canary"), decision("d2")])

    assert log.find("d1") == arm("d1", "canary")
    assert (log.find("d2").arm, log.find("d2").rollout) == ("", 0)
    columns = log.columns("credit_default", JULY)
    assert (columns["arm"].tolist(), columns["rollout"].tolist()) == (["canary", ""], [5, 0])
    assert list(logged(log.links(), [], log_keys)) == []
