"""The client against the real application, behind the real server."""

import asyncio
from collections.abc import Iterator

import pytest

from models.governance.api_keys import Allowance
from serving.client import (
    AsyncClient,
    Client,
    Conflict,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    Reason,
    Refused,
    Scored,
    TooMany,
)
from serving.client.calls import Address
from serving.door.connections import Patience
from tests.bundles import MODEL, fake_bundle, record, records
from tests.doors import Doorway, key
from tests.fakes.decisions import InMemoryDecisionLog
from tests.servers import serving


class Running:
    def __init__(self, doorway: Doorway, log: InMemoryDecisionLog, port: int) -> None:
        self.doorway, self.log, self.url = doorway, log, f"http://127.0.0.1:{port}"

    def client(self, name: str = "app", retries: int = 0) -> Client:
        return Client(self.url, f"secret-{name}", model=MODEL, retries=retries)


@pytest.fixture
def running() -> Iterator[Running]:
    log = InMemoryDecisionLog()
    few = Allowance(requests_per_second=0.001, burst=1)
    keys = key(reviewers=["r.lin"]), key("reader", actions=["read"]), key("few", allowance=few)
    doorway = Doorway(*keys, log=log)
    with serving(doorway.app, Patience(15.0)) as port:
        yield Running(doorway, log, port)


def test_a_record_is_scored_and_its_reasons_are_values(running: Running) -> None:
    with running.client() as client:
        scored = client.score(record(status_0=5))
    assert (scored.model, scored.version, scored.bundle, scored.replayed) == (MODEL, 1, fake_bundle(0.1).digest, False)
    assert (scored.only.decision, scored.only.probability, scored.only.no_notice) == ("reduce", 0.6, True)
    assert all(isinstance(reason, Reason) for reason in scored.only.reasons)
    assert running.log.find(scored.only.decision_id).request_id == scored.request_id


def test_a_trace_of_the_caller_goes_on_and_without_one_nothing_is_sent() -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import format_span_id

    address = Address("http://127.0.0.1", model=MODEL)
    assert "traceparent" not in address.models().headers
    with TracerProvider().get_tracer("a caller").start_as_current_span("work") as span:
        sent = address.scoring(record(), "", "").headers
    assert sent["traceparent"].split("-")[2] == format_span_id(span.get_span_context().span_id)
    assert "baggage" not in sent


def test_a_batch_is_answered_in_its_order(running: Running) -> None:
    with running.client() as client:
        scored = client.score(records({"status_0": 0}, {"status_0": 3}, {"status_0": 1}))
    assert [answer.probability for answer in scored.answers] == [0.1, 0.4, 0.2]


def test_each_answer_says_what_decided_it_also_where_a_canary_did() -> None:
    head = {"request_id": "r", "model": MODEL, "version": 1, "bundle": "a" * 64}
    answer = {"decision_id": "d", "decision": "keep", "probability": 0.1, "interval": [0.0, 1.0]}
    scored = Scored.of(head | {"answers": [answer, answer | {"version": 2, "bundle": "c" * 64}]})
    assert [(each.version, each.bundle) for each in scored.answers] == [(1, "a" * 64), (2, "c" * 64)]


def test_what_is_refused_is_named(running: Running) -> None:
    with running.client() as client, pytest.raises(Refused) as caught:
        client.score([record(), record(account_id="A2", status_0=99)])
    (rule,) = caught.value.errors
    assert (rule.record, rule.field, rule.value, caught.value.status) == (1, "status_0", "99", 422)
    assert "nothing was decided" in str(caught.value)
    assert len(caught.value.request_id) == 32


def test_a_key_of_ones_own_gets_the_same_decision_again_and_no_other_body(running: Running) -> None:
    with running.client() as client:
        first, again = (client.score(record(), idempotency_key="k") for _ in range(2))
        assert (first.answers, first.replayed, again.replayed) == (again.answers, False, True)
        with pytest.raises(Conflict):
            client.score(record(status_0=1), idempotency_key="k")
    assert len(running.log.decisions) == 1


def test_a_review_is_brought_and_read(running: Running) -> None:
    with running.client() as client:
        decision = client.score(record(status_0=0)).only
        assert client.reviewed(decision.decision_id).outcome == ""
        said = client.review(decision.decision_id, "keep", reviewer="r.lin", reason_code="SEEN", comment="slip")
        assert (said.outcome, said.comment) == ("keep", "slip")
        assert client.reviewed(decision.decision_id) == said
        with pytest.raises(NotFound):
            client.reviewed("d/../x")


def test_what_would_have_helped_is_a_value(running: Running) -> None:
    with running.client() as client:
        counsel = client.counterfactual(record(status_0=4))
    assert counsel.counterfactual is not None
    assert [(change.field, change.before, change.after) for change in counsel.counterfactual.changes] == [("status_0", 4.0, 2.0)]
    assert running.log.decisions == {}


def test_what_is_served_and_whether_it_is_ready(running: Running) -> None:
    with running.client("reader") as client:
        (served,) = client.models()
        assert (served.model, served.fields) == (MODEL, tuple(record()))
        assert client.ready().models == (served,)


def test_who_may_not_is_told_by_type(running: Running) -> None:
    with running.client("stranger") as client, pytest.raises(NotAuthenticated):
        client.score(record())
    with running.client("reader") as client, pytest.raises(NotPermitted):
        client.score(record())
    with running.client("few") as client:
        client.score(record())
        with pytest.raises(TooMany) as caught:
            client.score(record())
    assert caught.value.retry_after == 1_000.0


def test_the_awaited_client_asks_the_same(running: Running) -> None:
    async def asked() -> list[str]:
        async with AsyncClient(running.url, "secret-app", model=MODEL) as client:
            answers = await asyncio.gather(*(client.score(record(account_id=f"A{n}")) for n in range(8)))
            decision = answers[0].only.decision_id
            await client.review(decision, "keep", reviewer="r.lin", reason_code="SEEN")
            assert (await client.reviewed(decision)).outcome == "keep"
            assert (await client.counterfactual(record(status_0=4))).would_be == "reduce"
            assert ((await client.models())[0].model, (await client.ready()).ready) == (MODEL, True)
            return [answer.only.decision_id for answer in answers]

    assert len(set(asyncio.run(asked()))) == len(running.log.decisions) == 8
