"""A shadow, then canaries, of a running service: begun, judged and ended at the command line, obeyed within a look."""

import json
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from models.bundle import Bundle
from models.channel import head
from models.clock import Month
from models.estimator import TreeEnsemble
from models.governance.ledger import Event
from models.governance.pseudonyms import generations
from models.governance.requests import requested
from models.lake import AUDIT, GENERATION
from models.policy import Action
from models.rollout import CANARY, CONTROL
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.adapters.sql_trials import SqlTrials
from monitoring.trials import Pair
from pipelines.promotion import request_promotion
from pipelines.wiring import platform
from tests.bundles import MODEL, record
from tests.e2e.test_governance import Home
from tests.running import SCORE, until
from tests.samples import ensemble, sealed, stump

pytestmark = pytest.mark.integration

SIGNED = ("--by", "ana", "--reason", "better on paper")
FEW = ("--limit", "smallest_accounts=300", "--limit", "smallest_requests=8")  # as many as are timed of one batch
SLOW = ("--limit", "latency_p50=100", "--limit", "latency_p99=1000")  # of other tests' load nothing is judged here
EASY = (*FEW, *SLOW)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A champion in force."""
    made = Home(tmp_path)
    made.champion(sealed(seed=1))
    yield made
    made.service.end()


def asked(home: Home, bundle: Bundle) -> None:
    """A challenger that passed the gate, and waits. It is version 2."""
    champion = head(home.channel, home.office.trust, MODEL).bundle
    request_promotion(home.desk, home.candidate(bundle), compared_with=champion, reason="better")


def worse() -> Bundle:
    """To it whoever uses little of a limit looks as bad as who uses all of it."""
    trees = (stump(0, 0.0, -0.7, 1.6), stump(1, 0.5, 1.2, 0.4), stump(1, 0.9, 0.0, 1.25))
    return sealed(TreeEnsemble(("status", "used"), -1.5, trees), seed=2)


def accounts(first: int, last: int) -> list[dict[str, Any]]:
    """Most of them are not behind and use a part of their limit; the same number is the same account with the same record."""
    rng = np.random.default_rng(7)
    drawn = [(int(rng.choice([-1, 0, 0, 0, 0, 2])), float(rng.integers(0, 50)) * 1_000) for _ in range(last)]
    return [record(account_id=f"A{n:05d}", status_0=drawn[n][0], bill_0=drawn[n][1]) for n in range(first, last)]


def score(client: httpx.Client, records: list[dict[str, Any]], at_once: int = 50) -> dict[str, tuple[int, str, str]]:
    """By account: the version that decided, the decision, and its id."""
    found = {}
    for start in range(0, len(records), at_once):
        batch = records[start : start + at_once]
        said = client.post(SCORE, json={"records": batch})
        assert said.status_code == 200, said.text
        answer = said.json()
        for one, told in zip(batch, answer["answers"], strict=True):
            found[one["account_id"]] = (told.get("version", answer["version"]), told["decision"], told["decision_id"])
    return found


def tried(client: httpx.Client) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = client.get("/v1/models").json()["models"][0]["rollout"]
    return found


def pairs(home: Home, number: int, many: int) -> list[Pair]:
    """When as many shadows are there: they come after the answers."""
    log = SqlDecisionLog(f"sqlite:///{home.path / 'decisions.db'}")
    while len(found := list(SqlTrials(log).pairs(MODEL, number))) < many:
        pass
    log.close()
    return found


def events(home: Home) -> list[Event]:
    return [entry.event for entry in home.office.ledger.entries(MODEL)]


def with_audit_columns(home: Home, records: list[dict[str, Any]]) -> None:
    """As ingest would have written them for the month that is decided on: two groups in every column."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in home.environment().items():
            patch.setenv(name, value)
        parts = platform()
        ids = np.array([each["account_id"] for each in records])
        keys = parts.audit_keys.pseudonyms(parts.accounts.pseudonyms(ids))
        groups = {"sex": (1, 2), "education": (1, 2), "marriage": (1, 2), "age": (30, 60)}
        columns = {"account_id": keys}
        columns |= {name: np.array(two)[np.arange(len(ids)) // 2**place % 2] for place, (name, two) in enumerate(groups.items())}
        facts = {GENERATION: generations(parts.accounts, parts.audit_keys)}
        month = Month.parse(str(records[0]["snapshot_month"]))
        parts.restricted.write(AUDIT, month, columns, recorded_at=parts.clock.now(), facts=facts)


def test_a_shadow_scores_everything_changes_no_answer_and_is_judged(home: Home) -> None:
    asked(home, sealed(ensemble(high=1.7), seed=2))
    client = home.service.start()
    before = score(client, accounts(0, 100))
    said = home.run("shadow", "--challenger", "2", *EASY, *SIGNED)
    assert "version 2 as a shadow scores all that is answered, and decides nothing" in said
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"])

    during = score(client, accounts(0, 400))

    assert {name: during[name][:2] for name in before} == {name: found[:2] for name, found in before.items()}
    assert {version for version, _, _ in during.values()} == {1}
    found = pairs(home, 1, 400)
    assert {pair.scored_by for pair in found} == {sealed(ensemble(high=1.7), seed=2).digest}
    assert home.log(during["A00000"][2]).arm == ""
    metrics = client.get("/metrics").text
    assert f'steward_rollout_shadows_total{{model="{MODEL}",outcome="scored",version="2"}} 400.0' in metrics
    assert f'steward_rollout{{arm="canary",mode="shadow",model="{MODEL}",version="2"}} 0.0' in metrics

    said = home.run("judge-rollout")
    assert "Every guardrail held on 400 accounts: ask for promotion." in said
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"] is None)
    assert events(home)[-3:] == [Event.ROLLOUT_BEGUN, Event.REQUESTED, Event.ROLLOUT_ENDED]
    assert head(home.channel, home.office.trust, MODEL).version == 1
    assert "hold" in home.run("verify")


def test_a_canary_that_is_worse_is_taken_away_from_customers_within_a_look(home: Home) -> None:
    asked(home, worse())
    client = home.service.start()
    said = home.run("canary", "--challenger", "2", "--share", ".5", *EASY, *SIGNED)
    assert "version 2 as a canary decides for 0.5 of the accounts" in said
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"])
    assert tried(client) == {**(tried(client) or {}), "mode": "canary", "version": 2, "share": 0.5, "asked": True, "number": 1}

    first = score(client, accounts(0, 300))
    arms = Counter(version for version, _, _ in first.values())
    assert 90 <= arms[2] <= 210  # six standard deviations
    singly = score(client, accounts(0, 60), at_once=1)
    assert {name: found[:2] for name, found in singly.items()} == {name: first[name][:2] for name in singly}
    for version, arm in ((1, CONTROL), (2, CANARY)):
        identity = next(found[2] for found in first.values() if found[0] == version)
        logged = home.log(identity)
        assert (logged.arm, logged.rollout, logged.version) == (arm, 1, version)
        assert f"{arm} of roll-out 1" in home.run("replay-decision", "--id", identity)

    home.service.stop(signal.SIGKILL)  # who starts again draws as before
    client = home.service.start()
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"])
    again = score(client, accounts(0, 300))
    assert {name: found[:2] for name, found in again.items()} == {name: found[:2] for name, found in first.items()}

    said = home.run("judge-rollout")
    assert "Roll back:" in said
    assert "The roll-out is over: rolled back by judge of roll-outs" in said
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"] is None)
    after = score(client, accounts(0, 300))
    assert {version for version, _, _ in after.values()} == {1}
    assert home.log(after["A00000"][2]).arm == ""
    last = home.office.ledger.entries(MODEL)[-1]
    assert (last.event, last.actor, last.facts["outcome"]) == (Event.ROLLOUT_ENDED, "judge of roll-outs", "rolled_back")
    (kept,) = (home.path / "rollouts" / MODEL / "1").glob(f"*{last.facts['evidence'][:12]}.json")
    assert json.loads(kept.read_bytes())["verdict"]["state"] == "roll back"
    assert "rolled back by judge of roll-outs" in home.run("rollouts")
    assert "Every roll-out began and ended as recorded" in home.run("verify")

    kept.write_bytes(kept.read_bytes().replace(b"roll back", b"go on"))
    assert "was edited" in home.run("verify", ends=1)


def test_a_canary_that_is_no_different_is_asked_to_be_promoted_and_people_promote_it(home: Home) -> None:
    challenger = sealed(ensemble(high=1.65), seed=2)
    asked(home, challenger)
    client = home.service.start()
    home.run("canary", "--challenger", challenger.digest[:8], "--share", ".5", *EASY, *SIGNED)
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"])
    found = score(client, accounts(0, 100))
    pairs(home, 1, sum(version == 2 for version, _, _ in found.values()))
    assert "Go on: nothing is outside its limits" in home.run("judge-rollout")
    found = score(client, accounts(0, 500))
    pairs(home, 1, sum(version == 2 for version, _, _ in found.values()))

    without = home.run("judge-rollout")
    assert "Go on: nothing is outside its limits; too little is known of" in without
    assert "insufficient Not judged by group: 500 accounts are of months without audit columns" in without
    with_audit_columns(home, accounts(0, 500))

    assert "ask for promotion" in home.run("judge-rollout")
    assert head(home.channel, home.office.trust, MODEL).version == 1
    assert "Roll-out 1, a canary of 0.5" in requested(home.office, MODEL, challenger.digest).reason
    assert "there is nothing to judge" in home.run("judge-rollout")
    home.run("promote", "--bundle", challenger.digest[:8])
    until(client, "/v1/models", lambda served: served["models"][0]["version"] == 2)
    assert "hold" in home.run("verify")


def test_a_person_ends_a_roll_out_and_a_stop_does(home: Home) -> None:
    asked(home, worse())
    client = home.service.start()
    assert "longest_days is at most 31" in home.run("shadow", "--challenger", "2", "--days", "32", *SIGNED, ends=1)
    assert "write DAYS=7" in home.run("shadow", "--challenger", "2", "--limit", "longest_days=3", *SIGNED, ends=1)
    finer = home.run("shadow", "--challenger", "2", "--limit", "drop=.005", *SIGNED)
    assert int(finer.split("judged on ")[1].split()[0].replace(",", "")) > 100_000
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"])
    assert "one at a time" in home.run("canary", "--challenger", "2", "--share", ".1", *SIGNED, ends=1)
    home.run("end-rollout", "--by", "ben", "--reason", "seen enough")
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"] is None)

    home.run("canary", "--challenger", "2", "--share", ".1", *SIGNED)
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"])
    home.run("stop", "--by", "on-call", "--reason", "a drill")
    home.run("resume", "--by", "on-call", "--reason", "it was one")
    until(client, "/health/ready", lambda ready: [model["rollout"] for model in ready["models"]] == [None])
    assert "was stopped since" in home.run("rollouts")
    assert "The roll-out is over: ended by judge of roll-outs: It applies no longer" in home.run("judge-rollout")
    assert "hold" in home.run("verify")


def test_a_document_that_nobody_can_read_is_ended_over_and_nothing_comes_back_when_it_is_taken_away(home: Home) -> None:
    asked(home, worse())
    client = home.service.start()
    home.run("canary", "--challenger", "2", "--share", ".1", *SIGNED)
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"])
    (first,) = home.path.rglob("rollouts/*/00000001.json")
    planted = first.with_name("00000002.json")
    planted.write_text("{}")
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"] is None)
    for command in (("judge-rollout",), ("shadow", "--challenger", "2", *SIGNED), ("verify",)):
        assert "make end-rollout BY=" in home.run(*command, ends=1)
    assert "roll-out document 2 cannot be read" in home.run("rollouts")

    assert "it counts for nothing now" in home.run("end-rollout", "--by", "ben", "--reason", "somebody writes there")
    planted.unlink()
    home.service.stop(signal.SIGKILL)
    client = home.service.start()
    until(client, "/health/ready", lambda ready: [model["rollout"] for model in ready["models"]] == [None])
    assert "hold" in home.run("verify")
    assert "as a shadow" in home.run("shadow", "--challenger", "2", *SIGNED)


def test_where_people_approve_a_canary_waits_for_them(home: Home) -> None:
    asked(home, worse())
    home.mount_keys()
    assert "waiting for approval" in home.run(
        "canary", "--challenger", "2", "--share", ".1", *SIGNED, ends=3, STEWARD_PROFILE="production"
    )
    assert "as a shadow" in home.run("shadow", "--challenger", "2", *SIGNED, STEWARD_PROFILE="production")
    assert home.channel.approvals(worse().digest) == ()


def test_a_document_that_somebody_forged_is_reported_and_tried_by_nobody(home: Home) -> None:
    asked(home, worse())
    client = home.service.start()
    home.run("canary", "--challenger", "2", "--share", ".1", *SIGNED)
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"])
    path = home.path / "channel" / "rollouts" / MODEL / "00000001.json"
    path.write_bytes(path.read_bytes().replace(b'"share":0.1', b'"share":0.5'))

    ready = until(client, "/health/ready", lambda ready: ready["problems"])
    assert ready["problems"][0]["where"] == f"roll-out of {MODEL}"
    assert ready["models"][0]["rollout"] is None
    assert {version for version, _, _ in score(client, accounts(0, 50)).values()} == {1}
    assert "roll-out document 1" in home.run("verify", ends=1)


def test_the_accounts_of_these_tests_are_not_all_decided_alike(home: Home) -> None:
    """Otherwise they would compare nothing."""
    client = home.service.start()
    found = Counter(decision for _, decision, _ in score(client, accounts(0, 300)).values())
    assert min(found[Action.KEEP], found[Action.REVIEW]) > 30
