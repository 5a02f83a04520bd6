"""A reviewer's outcome, asked over HTTP."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models import errors
from models.clock import FixedClock
from serving.answers.past import PastReasons
from serving.protocols.reviews import PERSON, Reviews
from tests.bundles import MODEL, NOW, record
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS
from tests.worlds import SCORE, World, doubting_world, problem, strange


def sent_to_review(client: TestClient) -> str:
    """An address for the outcome of an account that a person was asked to review."""
    [answer] = client.post(SCORE, json=record(status_0=0)).json()["answers"]
    assert answer["decision"] == "review"
    return f"/v1/decisions/{answer['decision_id']}/review"


STATEMENT = "Length of employment"


SAID = {"outcome": "reduce", "reviewer": "r.lin", "reason_code": "NO_JOB", "comment": "left in June", "statement": STATEMENT}


OWN_REASON = {"code": "NO_JOB", "group": PERSON, "text": STATEMENT, "contribution": 0.0, "confirmed": False}


def test_a_reviewers_outcome_is_taken_back_and_read_again(client: TestClient) -> None:
    address = sent_to_review(client)
    assert client.get(address).json()["outcome"] is None
    taken = client.post(address, json=SAID)
    assert taken.status_code == 200
    why = {"reasons": [OWN_REASON], "no_notice": False, "no_notice_basis": None}
    assert taken.json() == SAID | why | {"decision_id": address.split("/")[3], "recorded_at": NOW.isoformat()}
    assert client.post(address, json=SAID).json() == client.get(address).json() == taken.json()


def test_a_review_that_keeps_the_line_has_no_reasons(client: TestClient) -> None:
    said = client.post(sent_to_review(client), json=SAID | {"outcome": "keep"}).json()
    assert (said["reasons"], said["no_notice"]) == (None, None)


def reviewed(
    world: World, said: dict[str, Any], then: Callable[[World], None] = lambda _: None, **changes: Any
) -> dict[str, Any]:
    """A strange account, delinquent but for the changes, reviewed after whatever happened meanwhile."""
    with TestClient(world.app()) as client:
        [answer] = client.post(SCORE, json=strange() | changes).json()["answers"]
        assert answer["decision"] == "review"
        then(world)
        answered: dict[str, Any] = client.post(f"/v1/decisions/{answer['decision_id']}/review", json=said).json()
        return answered


UNSTATED = {name: value for name, value in SAID.items() if name != "statement"}


SUSPECTED = UNSTATED | {"reason_code": "FRAUD_SUSPECTED", "comment": "phone call"}


def test_a_reviewers_reduction_has_the_reasons_that_the_model_s_own_would_have() -> None:
    world = doubting_world()
    told = reviewed(world, UNSTATED)
    with TestClient(world.app()) as client:
        [plainly] = client.post(SCORE, json=record(status_0=5)).json()["answers"]
    assert plainly["decision"] == "reduce"
    assert told["reasons"] == plainly["reasons"]
    (recorded,) = world.log.reviews.values()
    assert [reason.to_dict() for reason in recorded.reasons] == told["reasons"]


@pytest.mark.parametrize("status", [0, 1])
def test_a_reduction_that_the_score_alone_would_not_have_made_needs_a_statement_behind_or_not(status: int) -> None:
    world = doubting_world()
    refused = reviewed(world, SUSPECTED, status_0=status)
    assert [rule["field"] for rule in refused["errors"]] == ["statement"]
    assert "Unable to verify income" in refused["hint"]
    assert world.log.reviews == {}


def test_the_model_s_reasons_are_not_added_where_its_score_would_not_have_reduced_the_account() -> None:
    told = reviewed(doubting_world(), SUSPECTED | {"statement": "Suspected fraud on this account"}, status_0=1)
    assert [reason["code"] for reason in told["reasons"]] == ["FRAUD_SUSPECTED"]
    assert told["no_notice"] is False


def test_a_notice_is_due_unless_the_reviewer_names_the_account_s_own_delinquency() -> None:
    assert reviewed(doubting_world(), SUSPECTED)["no_notice"] is False
    world = doubting_world()
    told = reviewed(world, UNSTATED | {"own_delinquency": True}, status_0=1)
    assert (told["no_notice"], told["reasons"]) == (True, [])
    assert "delinquency as to the account" in told["no_notice_basis"]
    (recorded,) = world.log.reviews.values()
    assert recorded.no_notice == told["no_notice_basis"]


def test_delinquency_that_the_model_weighed_too_is_excused_with_its_reasons() -> None:
    told = reviewed(doubting_world(), UNSTATED | {"own_delinquency": True})
    assert (told["no_notice"], bool(told["reasons"])) == (True, True)


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        (UNSTATED, {"status_0": 0}),  # current: no rule holds
        (SAID, {}),  # behind, and reduced for another reason
        (UNSTATED | {"outcome": "keep"}, {}),
    ],
)
def test_an_excuse_that_does_not_hold_is_refused(said: dict[str, Any], changes: dict[str, Any]) -> None:
    world = doubting_world()
    refused = reviewed(world, said | {"own_delinquency": True}, **changes)
    assert [rule["field"] for rule in refused["errors"]] == ["own_delinquency"]
    assert world.log.reviews == {}


def test_a_review_repeated_with_another_cause_is_another_review() -> None:
    world = doubting_world()
    with TestClient(world.app()) as client:
        [answer] = client.post(SCORE, json=strange()).json()["answers"]
        address = f"/v1/decisions/{answer['decision_id']}/review"
        first = client.post(address, json=UNSTATED | {"own_delinquency": True})
        assert client.post(address, json=UNSTATED | {"own_delinquency": True}).json() == first.json()
        problem(client.post(address, json=UNSTATED), 409)


def test_what_the_reviewer_states_stands_first() -> None:
    told = reviewed(doubting_world(), SAID)
    assert told["reasons"][0] == OWN_REASON
    assert len(told["reasons"]) > 1


def test_a_reason_of_the_reviewer_s_own_needs_a_notice_also_where_the_account_is_behind() -> None:
    world = doubting_world()
    told = reviewed(world, SAID)
    assert (told["no_notice"], told["no_notice_basis"]) == (False, None)
    (recorded,) = world.log.reviews.values()
    assert recorded.no_notice == ""


def test_the_reasons_are_of_the_bundle_that_decided_whatever_is_in_force_by_now() -> None:
    def promoted(world: World) -> None:
        world.promote(0.3, version=2)
        world.watcher.look()

    assert reviewed(doubting_world(), SAID, promoted)["reasons"] == reviewed(doubting_world(), SAID)["reasons"]


def test_without_inputs_nobody_can_give_reasons_for_a_reduction() -> None:
    def expired(world: World) -> None:
        world.log.expire(MODEL, NOW + timedelta(days=1))

    said = reviewed(doubting_world(), SAID, expired)
    assert (said["status"], "past its retention" in said["detail"]) == (410, True)


def test_a_reduction_against_which_the_model_has_nothing_needs_the_reviewer_s_own_statement(client: TestClient) -> None:
    address = sent_to_review(client)
    said = problem(client.post(address, json=SAID | {"statement": " "}), 422)
    assert [rule.field for rule in said.errors] == ["statement"]
    assert client.get(address).json()["outcome"] is None


@pytest.mark.parametrize(
    "statement",
    [
        "x",
        "收入",
        "You failed to achieve a qualifying score",
        "Your score was too low",
        "system said so always",
        "our bank policy says so",
        "the the the",
        "You are too old for this",
    ],
)
def test_a_statement_that_tells_the_customer_nothing_is_refused(client: TestClient, statement: str) -> None:
    address = sent_to_review(client)
    said = problem(client.post(address, json=SAID | {"statement": statement}), 422)
    assert [rule.field for rule in said.errors] == ["statement"]
    assert "Unable to verify income" in said.hint
    assert client.get(address).json()["outcome"] is None


@pytest.mark.parametrize("statement", ["Unable to verify income", "收入不足", "Income not sufficient for the line"])
def test_a_statement_that_names_a_reason_is_taken(client: TestClient, statement: str) -> None:
    told = client.post(sent_to_review(client), json=SAID | {"statement": statement}).json()
    assert [reason["text"] for reason in told["reasons"]] == [statement]


@pytest.mark.parametrize("field", ["comment", "statement", "reviewer", "reason_code"])
@pytest.mark.parametrize("spelt", ["A00017", "a00017"])
def test_a_review_that_names_the_account_is_refused_and_the_number_not_repeated(
    client: TestClient, field: str, spelt: str
) -> None:
    address = sent_to_review(client)
    text = spelt if field == "reviewer" else spelt.upper() if field == "reason_code" else f"the holder of no. ({spelt}), by phone"
    response = client.post(address, json=SAID | {field: text})
    assert [rule.field for rule in problem(response, 422).errors] == [field]
    assert spelt not in response.text
    assert client.get(address).json()["outcome"] is None


def test_a_refused_text_does_not_come_back(client: TestClient) -> None:
    response = client.post(sent_to_review(client), json=SAID | {"reviewer": "A00017, by phone", "comment": "A00017" * 200})
    assert len(problem(response, 422).errors) == 2
    assert "A00017" not in response.text


def test_a_second_different_outcome_is_a_conflict(client: TestClient) -> None:
    address = sent_to_review(client)
    client.post(address, json=SAID)
    assert "r.lin" in problem(client.post(address, json=SAID | {"outcome": "keep"}), 409).detail


def test_a_decision_that_nobody_was_asked_about_takes_no_review(client: TestClient) -> None:
    [answer] = client.post(SCORE, json=record(status_0=5)).json()["answers"]
    address = f"/v1/decisions/{answer['decision_id']}/review"
    assert "nobody was asked" in problem(client.post(address, json=SAID), 409).detail
    assert "unknown" in problem(client.post("/v1/decisions/unknown/review", json=SAID), 404).detail
    problem(client.get("/v1/decisions/unknown/review"), 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"outcome": "review"}, "outcome"),
        ({"outcome": "keep it"}, "outcome"),
        ({"reviewer": ""}, "reviewer"),
        ({"reason_code": "because"}, "reason_code"),
        ({"comment": "x" * 1_001}, "comment"),
        ({"account": "A1"}, "account"),
        ({"reviewer": 7}, "reviewer"),
        ({"own_delinquency": "yes"}, "own_delinquency"),
    ],
)
def test_a_review_that_says_too_little_or_too_much_is_refused(client: TestClient, change: dict[str, Any], field: str) -> None:
    address = sent_to_review(client)
    assert [rule.field for rule in problem(client.post(address, json=SAID | change), 422).errors] == [field]
    assert client.get(address).json()["outcome"] is None
    problem(client.post(address, content=b"{", headers={"Content-Type": "application/json"}), 422)


def test_a_review_of_a_decision_that_is_on_its_way_to_the_log_may_be_sent_again() -> None:
    world = World()
    waiting = [True]
    reviews = Reviews(
        world.log, FixedClock(NOW), ACCOUNTS.known_as, PastReasons(world.channel, FakeScorer).explain, lambda: waiting[0]
    )
    for look in (reviews.find, lambda identity: reviews.take(identity, json.dumps(SAID).encode())):
        with pytest.raises(errors.Unavailable, match="on their way"):
            look("d1")
        waiting[0] = False
        with pytest.raises(errors.NotFound):
            look("d1")
        waiting[0] = True
