"""The HTTP door: statuses, headers, problems, the OpenAPI document."""

import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models import errors
from models.bundle import canonical
from models.clock import FixedClock
from models.errors import PlatformError, Unavailable
from models.governance.doubt.rule import Rule
from monitoring.decisions import Entry
from serving.adapters.exposition import Exposition
from serving.answers.loaded import LoadedModel
from serving.answers.past import PastReasons
from serving.answers.prediction import Predictor
from serving.app import STATUS, Limits, scoring_app
from serving.door.envelope import Application
from serving.door.register import Register
from serving.durability.recording import Recorder
from serving.durability.spooling import Spooling
from serving.protocols.documents import Counselled, Problem, Readiness, Scored
from serving.protocols.reviews import PERSON, Reviews
from serving.release.watching import Watcher
from serving.telemetry.access import AccessLog
from serving.telemetry.sight import Sight
from serving.telemetry.tracing import Traced
from tests.bundles import MODEL, NOW, USE_CASE, Office, fake_bundle, record, records
from tests.fakes.channel import FakeChannel
from tests.fakes.copies import FakeCopies
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.scorer import FakeScorer
from tests.fakes.spool import InMemorySpool
from tests.rings import ACCOUNTS
from tests.rules import all_familiar, plain
from tests.unit.serving.answers.test_prediction import loaded

SCORE = f"/v1/models/{MODEL}/score"
COUNSEL = f"/v1/models/{MODEL}/counterfactual"
OFFICE = Office()
CLOSED = Traced("", "", 0, "", 0.0, 0.0)


class World:
    def __init__(self) -> None:
        self.channel = FakeChannel()
        self.log = InMemoryDecisionLog()
        self.closed = False
        self.predictor = Predictor(self.log, FixedClock(NOW), ACCOUNTS.pseudonym)
        self.watcher = Watcher(
            self.channel,
            lambda: OFFICE.trust,
            FixedClock(NOW),
            self.log,
            self.predictor,
            lambda release: LoadedModel.load(release, FakeScorer, 100),
            FakeCopies(),
        )

        self.reviews = Reviews(self.log, FixedClock(NOW), ACCOUNTS.known_as, PastReasons(self.channel, FakeScorer).explain)

    def promote(self, base: float, version: int) -> None:
        OFFICE.promote(self.channel, fake_bundle(base), version=version)

    def close(self) -> None:
        self.closed = True

    def app(self, poll_seconds: float = 3_600.0, sight: Sight | None = None) -> Application:
        parts = self.predictor, Recorder(self.log), self.watcher, self.reviews, Limits(20_000, poll_seconds)
        seen = sight or Sight(Exposition().text)
        return scoring_app(*parts, seen, self.close, register=Register(FixedClock(NOW)))


@pytest.fixture
def world() -> World:
    made = World()
    made.promote(0.1, version=1)
    return made


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        yield client


def problem(response: Any, status: int) -> Problem:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    said = Problem.model_validate(response.json())
    assert said.status == status
    assert re.fullmatch("[0-9a-f]{32}", said.request_id)
    assert "Traceback" not in response.text
    return said


def every_error() -> list[type[PlatformError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PlatformError)]


def test_every_error_of_the_platform_has_a_status() -> None:
    assert set(every_error()) - {PlatformError} <= STATUS.keys()


def test_one_record_is_scored_and_the_answer_is_as_documented(client: TestClient, world: World) -> None:
    response = client.post(SCORE, json=record())
    assert response.status_code == 200
    scored = Scored.model_validate(response.json())
    assert (scored.model, scored.version, scored.bundle) == (MODEL, 1, fake_bundle(0.1).digest)
    assert [(answer.decision, answer.probability) for answer in scored.answers] == [("review", 0.1)]
    assert world.log.find(scored.answers[0].decision_id).request_id == scored.request_id == response.headers["x-request-id"]


def test_a_batch_is_scored_in_order(client: TestClient) -> None:
    response = client.post(SCORE, json={"records": records({"status_0": 0}, {"status_0": 3}, {"status_0": 1})})
    assert [answer["probability"] for answer in response.json()["answers"]] == [0.1, 0.4, 0.2]


def test_a_callers_request_id_comes_back_and_is_kept_nowhere(client: TestClient, world: World) -> None:
    """It may be an account's id. The answer is kept for retries, so its body has our own."""
    headers = {"X-Request-ID": "A00017", "Idempotency-Key": "A00017"}
    response = client.post(SCORE, json=record(), headers=headers)
    assert response.headers["x-request-id"] == "A00017"
    assert [decision.request_id for decision in world.log.decisions.values()] == [response.json()["request_id"]]
    assert "A00017" not in repr((world.log.decisions, world.log.answers))


@pytest.mark.parametrize("bad", ["", "x" * 65, "a b", "<script>", "é".encode("latin-1")])
def test_a_harmful_request_id_is_replaced(client: TestClient, bad: str | bytes) -> None:
    response = client.get("/health/live", headers={"X-Request-ID": bad})
    assert len(response.headers["x-request-id"]) == 32


def test_a_retry_gets_the_same_bytes_and_is_marked(client: TestClient, world: World) -> None:
    first = client.post(SCORE, json=record(), headers={"Idempotency-Key": "k1"})
    again = client.post(SCORE, json=record(), headers={"Idempotency-Key": "k1"})
    assert again.content == first.content
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert len(world.log.decisions) == 1


def test_two_keys_in_one_request_are_refused(client: TestClient, world: World) -> None:
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    assert "twice" in problem(client.post(SCORE, json=record(), headers=headers), 422).detail
    assert world.log.decisions == {}


def test_a_key_used_for_another_body_is_a_conflict(client: TestClient) -> None:
    client.post(SCORE, json=record(), headers={"Idempotency-Key": "k1"})
    said = problem(client.post(SCORE, json=record(status_0=1), headers={"Idempotency-Key": "k1"}), 409)
    assert "another body" in said.detail
    assert "k1" not in said.detail + said.hint


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "\x7f"])
def test_a_key_that_cannot_be_kept_is_refused(client: TestClient, key: str) -> None:
    assert "Idempotency-Key" in problem(client.post(SCORE, json=record(), headers={"Idempotency-Key": key}), 422).detail


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


def strange(**changes: Any) -> dict[str, Any]:
    """Sent to a person although its score alone would reduce it: its bill is unlike any other."""
    return record(status_0=5, bill_0=100_001.0, **changes)


def doubting_world() -> World:
    world = World()
    OFFICE.promote(world.channel, fake_bundle(0.1, parts=doubting()))
    return world


def doubting() -> dict[str, bytes]:
    usual = all_familiar(USE_CASE.contract)
    ranges = tuple(replace(each, high=100_000.0) if each.column == "bill_0" else each for each in usual.ranges)
    rule = Rule.made(USE_CASE.policy, plain(USE_CASE.contract, USE_CASE.policy).intervals, replace(usual, ranges=ranges))
    return {"uncertainty.json": canonical(rule.to_dict())}


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


def test_a_broken_rule_is_named(client: TestClient, world: World) -> None:
    said = problem(client.post(SCORE, json={"records": [record(), record(bill_0="28")]}), 422)
    assert [rule.model_dump() for rule in said.errors] == [
        {"record": 1, "field": "bill_0", "value": '"28"', "rule": "number from -5,000,000 to 5,000,000"}
    ]
    assert said.type == "urn:steward:problem:input-refused"
    assert world.log.decisions == {}


def test_an_audit_column_is_refused_and_its_value_does_not_come_back(client: TestClient) -> None:
    response = client.post(SCORE, json=record(sex=31337))
    assert [rule.field for rule in problem(response, 422).errors] == ["sex"]
    assert "31337" not in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": ""},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_a_body_that_is_not_declared_as_plain_json_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    said = problem(client.post(SCORE, content=json.dumps(record()), headers=headers), 415)
    assert "application/json" in said.hint


def test_a_character_set_may_be_named(client: TestClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post(SCORE, content=json.dumps(record()), headers=headers).status_code == 200


def test_a_body_that_says_it_is_too_large_is_not_read(client: TestClient) -> None:
    said = problem(client.post(SCORE, content=b" " * 20_001, headers={"Content-Type": "application/json"}), 413)
    assert "20,000 bytes" in said.detail


def test_a_body_that_turns_out_too_large_is_refused(client: TestClient) -> None:
    parts = (b" " * 9_000 for _ in range(3))
    problem(client.post(SCORE, content=parts, headers={"Content-Type": "application/json"}), 413)


def test_a_model_that_is_not_served_is_not_found(client: TestClient) -> None:
    said = problem(client.post("/v1/models/other/score", json=record()), 404)
    assert MODEL in said.hint


def test_a_path_that_is_not_there_and_a_method_that_is_not_meant_are_problems_too(client: TestClient) -> None:
    assert problem(client.get("/nothing"), 404).detail == "GET /nothing"
    response = client.get(SCORE)
    problem(response, 405)
    assert response.headers["allow"] == "POST"


def test_a_log_that_is_away_means_503_and_no_answer(client: TestClient, world: World) -> None:
    world.log.down = Unavailable("the decision log does not answer", hint="see to its database")
    response = client.post(SCORE, json=record())
    said = problem(response, 503)
    assert (said.detail, said.hint) == ("the decision log does not answer", "see to its database")
    assert response.headers["retry-after"] == "1"
    world.log.down = None
    assert world.log.decisions == {}
    assert client.post(SCORE, json=record()).status_code == 200


def test_what_nobody_expected_is_not_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    class Bug(InMemoryDecisionLog):
        def append_all(self, entries: Sequence[Entry]) -> None:
            if any(entry.decisions for entry in entries):
                raise RuntimeError("secret of the machine")

    world.log = Bug()
    with TestClient(world.app(), raise_server_exceptions=False) as client, caplog.at_level(logging.ERROR):
        response = client.post(SCORE, json=record(), headers={"X-Request-ID": "r7"})
    request_id = problem(response, 500).request_id
    assert response.headers["x-request-id"] == "r7"
    assert "secret" not in response.text
    assert f"request {request_id} broke" in caplog.text


def test_what_happened_can_be_read_by_prometheus(client: TestClient, world: World) -> None:
    client.post(SCORE, json=record(status_0=2))
    client.post(SCORE, json=record(status_0=99))
    world.log.down = Unavailable("the decision log does not answer")
    client.post(SCORE, json=record())
    response = client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    told = 'model="credit_default",unfamiliar="false",version="1"'
    counted = f'steward_decisions_total{{action="review",fallback="false",{told}}} 1.0'
    statuses = {f'steward_responses_total{{status="{status}"}} 1.0' for status in (200, 422, 503)}
    assert {counted, *statuses, "steward_in_flight 0.0", "steward_ready 1.0"} <= set(response.text.splitlines())


def test_what_nobody_expected_is_counted(world: World) -> None:
    class Bug(InMemoryDecisionLog):
        def append_all(self, entries: Sequence[Entry]) -> None:
            if any(entry.decisions for entry in entries):
                raise RuntimeError("a bug")

    world.log = Bug()
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        client.post(SCORE, json=record())
        assert 'steward_responses_total{status="500"} 1.0' in client.get("/metrics").text


def test_a_plain_api_sends_plain_headers(client: TestClient) -> None:
    headers = client.post(SCORE, json=record()).headers
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_what_is_served_is_listed(client: TestClient) -> None:
    (served,) = client.get("/v1/models").json()["models"]
    assert (served["model"], served["version"], served["bundle"]) == (MODEL, 1, fake_bundle(0.1).digest)
    assert served["fields"] == list(record())


class Spooled(World):
    """A service whose log has a spool of two decisions."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Spooling(self.log, InMemorySpool(most=2), after=30.0, pauses=[0.002])
        self.predictor = Predictor(self.store, FixedClock(NOW), ACCOUNTS.pseudonym)
        self.watcher = Watcher(
            self.channel,
            lambda: OFFICE.trust,
            FixedClock(NOW),
            self.store,
            self.predictor,
            lambda release: LoadedModel.load(release, FakeScorer, 100),
            FakeCopies(),
        )

    def close(self) -> None:
        self.store.close()

    def app(self, poll_seconds: float = 3_600.0) -> Application:
        parts = self.predictor, Recorder(self.store), self.watcher, self.reviews, Limits(20_000, poll_seconds)
        return scoring_app(*parts, Sight(Exposition().text), self.close, spooling=self.store, register=Register(FixedClock(NOW)))


def test_while_the_spool_takes_decisions_the_service_is_ready_and_names_it_and_when_it_is_full_it_is_not() -> None:
    world = Spooled()
    world.promote(0.1, version=1)
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        world.log.down = errors.Unavailable("the database is away", hint="start it")
        for _ in range(2):
            assert client.post(SCORE, json=record()).status_code == 200
        world.watcher.look()
        response = client.get("/health/ready")
        ready = Readiness.model_validate(response.json())
        assert (response.status_code, ready.ready) == (200, True)
        assert [(each.where, each.hint) for each in ready.problems] == [("spool", "start it")]
        said = ready.problems[0].problem
        assert said.startswith(f"the database is away. 2 decisions wait in the spool, the oldest since {NOW.isoformat()}")

        assert "steward_spool_decisions 2.0" in client.get("/metrics").text

        refused = client.post(SCORE, json=record())
        assert "the spool is full" in problem(refused, 503).detail
        assert refused.headers["retry-after"] == "1"
        world.watcher.look()
        response = client.get("/health/ready")
        assert response.status_code == 503
        assert "the database is away; and the spool is full" in response.json()["reason"]
        world.log.down = None
    assert len(world.log.decisions) == 2


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


def test_without_a_champion_the_service_lives_but_is_not_ready_and_says_what_to_run() -> None:
    with TestClient(World().app()) as client:
        assert client.get("/health/live").status_code == 200
        response = client.get("/health/ready")
        assert response.status_code == 503
        ready = Readiness.model_validate(response.json())
        assert (ready.ready, ready.reason, ready.hint) == (False, "no model has been promoted yet", "run `make train`")
        assert "make train" in problem(client.post(SCORE, json=record()), 503).hint
        assert client.get("/v1/models").json() == {"models": []}
        assert "paths" in client.get("/openapi.json").json()


def test_a_promotion_is_picked_up_while_requests_come(world: World) -> None:
    with TestClient(world.app(poll_seconds=0.01)) as client:
        assert client.get("/health/ready").json()["models"][0]["version"] == 1
        world.promote(0.2, version=2)
        answers = (client.post(SCORE, json=record()) for _ in range(1_000))
        seen = []
        for answer in answers:
            assert answer.status_code == 200
            seen.append((answer.json()["version"], answer.json()["answers"][0]["probability"]))
            if seen[-1][0] == 2:
                break
        assert set(seen) <= {(1, 0.1), (2, 0.2)}
        assert seen[-1] == (2, 0.2)


def test_a_refused_release_is_shown_in_readiness_and_the_old_one_answers(world: World) -> None:
    with TestClient(world.app()) as client:
        OFFICE.promote(world.channel, fake_bundle(0.2, parts={"contract.json": b"{}"}), version=2)
        world.watcher.look()
        response = client.get("/health/ready")
        assert response.status_code == 200
        ready = Readiness.model_validate(response.json())
        assert [(trouble.where, "cannot be read" in trouble.problem) for trouble in ready.problems] == [(MODEL, True)]
        assert client.post(SCORE, json=record()).json()["version"] == 1


def test_the_log_is_closed_after_the_last_request(world: World) -> None:
    with TestClient(world.app()) as client:
        assert client.post(SCORE, json=record()).status_code == 200
        assert not world.closed
    assert world.closed


def test_the_openapi_document_shows_real_examples_that_work(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operation = document["paths"][SCORE]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    shown = operation["responses"]["200"]["content"]["application/json"]["examples"]
    for name, example in examples.items():
        answered = client.post(SCORE, json=example["value"])
        assert answered.status_code == 200
        assert answered.json()["bundle"] == shown["one record"]["value"]["bundle"]
        if name in shown:
            [said], [promised] = answered.json()["answers"], shown[name]["value"]["answers"]
            assert said == promised | {"decision_id": said["decision_id"]}
    refused = operation["responses"]["422"]["content"]["application/problem+json"]["example"]
    assert refused["errors"][0]["value"] == '"50000.0"'


def test_the_openapi_document_shows_a_reduction_with_its_reasons_and_what_would_have_helped(world: World) -> None:
    world.promote(0.3, version=2)
    with TestClient(world.app()) as client:
        paths = client.get("/openapi.json").json()["paths"]
        shown = example_of(paths[SCORE], "a reduction, with its reasons")["answers"][0]
        assert (shown["decision"], shown["no_notice"]) == ("reduce", True)
        assert shown["reasons"][0]["group"] == "credit limit"
        helped = example_of(paths[COUNSEL], "a reduction, with its reasons")
        asked = paths[COUNSEL]["post"]["requestBody"]["content"]["application/json"]["examples"]
        answered = client.post(COUNSEL, json=asked["a reduction, with its reasons"]["value"])
    assert answered.json() == helped | {"request_id": answered.headers["x-request-id"]}
    Counselled.model_validate(answered.json())
    change = {"field": "status_0", "meaning": "repayment status of the snapshot month", "unit": "", "from": 2, "to": 0}
    assert helped["counterfactual"]["changes"] == [change]
    assert (helped["would_be"], helped["counterfactual"]["would_be"]) == ("reduce", "review")


def example_of(path: dict[str, Any], name: str) -> Any:
    return path["post"]["responses"]["200"]["content"]["application/json"]["examples"][name]["value"]


def test_help_is_asked_for_one_account_and_records_nothing(client: TestClient, world: World) -> None:
    helped = client.post(COUNSEL, json=record(status_0=4)).json()
    assert (helped["would_be"], helped["counterfactual"]["changes"][0]["field"]) == ("reduce", "status_0")
    assert helped["recorded"] is False
    assert not {"decision", "decision_id"} & (helped.keys() | helped["counterfactual"].keys())
    two = problem(client.post(COUNSEL, json={"records": records({"status_0": 4}, {"status_0": 5})}), 422)
    assert "one account" in two.hint
    assert "prohibited" in problem(client.post(COUNSEL, json=record() | {"sex": 1}), 422).errors[0].rule
    assert world.log.decisions == {}


@pytest.mark.parametrize("path", [SCORE, COUNSEL])
def test_a_month_to_come_is_neither_decided_nor_discussed(client: TestClient, world: World, path: str) -> None:
    assert client.post(path, json=record(snapshot_month="2005-08")).status_code == 200
    logged = len(world.log.decisions)
    said = problem(client.post(path, json=record(snapshot_month="2005-09")), 422)
    assert [(rule.field, rule.value) for rule in said.errors] == [("snapshot_month", "2005-09")]
    assert len(world.log.decisions) == logged


def test_an_account_that_is_kept_needs_no_help(world: World) -> None:
    world.promote(0.05, version=2)
    with TestClient(world.app()) as client:
        answered = client.post(COUNSEL, json=record(status_0=0)).json()
    assert (answered["would_be"], answered["counterfactual"]) == ("keep", None)
    assert answered["explanation"] == "It would be keep: nothing has to change."


def test_an_account_that_a_person_would_decide_is_told_what_leads_to_keep(world: World) -> None:
    """The person may reduce it."""
    world.promote(0.05, version=2)
    with TestClient(world.app()) as client:
        answered = client.post(COUNSEL, json=record(status_0=1)).json()
    Counselled.model_validate(answered)
    assert (answered["would_be"], answered["counterfactual"]["would_be"]) == ("review", "keep")
    assert [(change["field"], change["to"]) for change in answered["counterfactual"]["changes"]] == [("status_0", 0)]
    assert answered["explanation"].startswith(
        "It would be review: a person decides. With these values it would have been keep, without"
    )


def test_where_nothing_leads_past_a_person_this_is_said(client: TestClient) -> None:
    answered = client.post(COUNSEL, json=record(status_0=0)).json()
    assert (answered["would_be"], answered["counterfactual"]) == ("review", None)
    assert answered["explanation"].startswith("It would be review: a person decides. No change of status_0, bill_0, payment_0")
    assert answered["explanation"].endswith("leads to keep without a person.")


def test_an_account_unlike_any_other_is_told_what_is_odd_and_what_leads_to_keep() -> None:
    world = World()
    OFFICE.promote(world.channel, fake_bundle(0.05, parts=doubting()))
    with TestClient(world.app()) as client:
        answered = client.post(COUNSEL, json=record(status_0=0, bill_0=100_001.0)).json()
    assert "because of bill_0, unlike any" in answered["explanation"]
    assert answered["would_be"] == "review"
    assert [(c["field"], c["to"]) for c in answered["counterfactual"]["changes"]] == [("bill_0", 100_000.0)]


def test_to_become_like_others_and_still_be_decided_by_a_person_is_no_help() -> None:
    with TestClient(doubting_world().app()) as client:
        answered = client.post(COUNSEL, json=record(status_0=0, bill_0=100_001.0)).json()
    assert (answered["would_be"], answered["counterfactual"]) == ("review", None)


def test_where_nothing_helps_this_is_said(world: World) -> None:
    world.promote(0.5, version=2)
    with TestClient(world.app()) as client:
        answered = client.post(COUNSEL, json=record(status_0=0)).json()
    assert (answered["would_be"], answered["counterfactual"]) == ("reduce", None)
    assert answered["explanation"].startswith("No change of status_0, bill_0, payment_0")


def test_the_openapi_document_names_no_audit_column_and_no_schema_that_is_not_there(client: TestClient) -> None:
    text = client.get("/openapi.json").text
    document = json.loads(text)
    fields = document["components"]["schemas"]["CreditDefaultRecord"]["properties"]
    assert fields.keys() == record().keys()
    assert fields["status_0"]["enum"] == list(range(-2, 10))
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= document["components"]["schemas"].keys()


def test_mlflows_protocol_gets_the_same_decision_and_records_it(client: TestClient, world: World) -> None:
    said = client.post("/invocations", json={"dataframe_records": [record(status_0=5)]})
    [answer] = said.json()["predictions"]
    assert (answer["decision"], answer["probability"]) == ("reduce", 0.6)
    assert world.log.find(answer["decision_id"]).action == "reduce"
    lines = "\n".join([",".join(record()), ",".join(map(str, record(account_id="A2").values()))])
    assert client.post("/invocations", content=lines, headers={"content-type": "text/csv"}).status_code == 200
    assert len(world.log.decisions) == 2


def test_a_retry_by_mlflows_protocol_is_decided_once(client: TestClient, world: World) -> None:
    body, headers = {"instances": [record()]}, {"Idempotency-Key": "k"}
    first, again = (client.post("/invocations", json=body, headers=headers) for _ in range(2))
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
    assert len(world.log.decisions) == 1


def test_mlflows_protocol_refuses_as_our_own_does(client: TestClient) -> None:
    assert problem(client.post("/invocations", json={"instances": [record(status_0=99)]}), 422).errors[0].field == "status_0"
    assert "text/csv" in problem(client.post("/invocations", content=b"x", headers={"content-type": "text/plain"}), 415).hint
    target = {"X-Amzn-SageMaker-Target-Model": "other"}
    assert "'other'" in problem(client.post("/invocations", json={"instances": [record()]}, headers=target), 404).detail


def test_where_several_models_are_served_the_protocol_must_name_one(client: TestClient, world: World) -> None:
    world.predictor.swap(loaded(0.2, model="other")[0])
    body = {"instances": [record()]}
    assert "credit_default, other" in problem(client.post("/invocations", json=body), 422).hint
    target = {"X-Amzn-SageMaker-Target-Model": "other"}
    assert client.post("/invocations", json=body, headers=target).json()["model"] == "other"


def test_a_ping_is_answered_while_requests_can_be(client: TestClient, world: World) -> None:
    assert client.get("/ping").status_code == 200
    with TestClient(World().app()) as empty:
        assert empty.get("/ping").status_code == 503
        problem(empty.post("/invocations", json={"instances": [record()]}), 503)


def test_every_scoring_request_is_told_to_a_tracer_with_the_stages_it_reached(world: World) -> None:
    told: list[Traced] = []

    class Listening:
        def tell(self, traced: Traced) -> None:
            told.append(traced)

        def close(self) -> None:
            told.append(CLOSED)

    limits = Limits(20_000, 3_600.0)
    parts = (
        world.predictor,
        Recorder(world.log),
        world.watcher,
        world.reviews,
        limits,
        Sight(Exposition().text, tracer=Listening()),
        world.close,
    )
    app = scoring_app(*parts, register=Register(FixedClock(NOW)))
    with TestClient(app) as client:
        answer = client.post(SCORE, json=record(), headers={"traceparent": "00-a-b-01"}).json()
        client.post(SCORE, json=record(status_0=99))
    scored, refused, closed = told
    assert (scored.request_id, scored.model, scored.status, scored.parent) == (answer["request_id"], MODEL, 200, "00-a-b-01")
    assert list(scored.stages) == ["decide", "record"]
    instants = [scored.began, *(instant for stage in scored.stages.values() for instant in stage), scored.ended]
    assert instants == sorted(instants)
    assert (refused.status, refused.parent, refused.stages) == (422, "", {})
    assert closed is CLOSED


def test_every_request_is_a_line_of_the_access_log_without_what_it_sent(world: World) -> None:
    written: list[str] = []
    access = AccessLog(written.append, lambda: NOW)
    limits = Limits(20_000, 3_600.0)
    parts = (
        world.predictor,
        Recorder(world.log),
        world.watcher,
        world.reviews,
        limits,
        Sight(Exposition().text, access=access),
        world.close,
    )
    with TestClient(scoring_app(*parts, register=Register(FixedClock(NOW)))) as client:
        client.post(f"{SCORE}?account=A00017", json=record(account_id="A00017"), headers={"X-Request-ID": "A00017"})
        client.get("/nothing")
    lines = [json.loads(line) for text in written for line in text.splitlines()]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [("POST", SCORE, 200), ("GET", "/nothing", 404)]
    assert lines[0]["at"] == "2005-08-01T06:00:00.000+00:00"
    assert lines[0]["milliseconds"] > 0
    assert "A00017" not in "".join(written)
