"""Answering many at once, as the service does it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.clock import FixedClock
from models.errors import InputRefused, Integrity
from monitoring.decisions import Entry
from serving.answers.answer import Answer, Ask
from serving.answers.desk import AT_ONCE, Desk
from serving.durability.recording import Recorder
from serving.telemetry.metering import Meter
from tests.answering import Answering
from tests.bundles import MODEL, NOW, record
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS
from tests.unit.serving.answers.test_prediction import loaded

ASK = Ask(MODEL, json.dumps(record()).encode(), "r1", "k")


class Counting(FakeScorer):
    """Notes how many rows came together, and breaks over accounts with `BAD` as their bill."""

    def __init__(self, graph: bytes) -> None:
        super().__init__(graph)
        self.runs: list[int] = []

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        self.runs.append(len(inputs))
        return np.where(inputs[:, 3] == BAD, np.nan, super().probabilities(inputs))


BAD = 666.0


def serving(log: InMemoryDecisionLog, scorer: FakeScorer | None = None) -> Answering:
    made = Answering(log, FixedClock(NOW), ACCOUNTS.pseudonym)
    model = loaded(0.1)[0]
    made.swap(replace(model, scorer=scorer) if scorer else model)
    return made


def ask(number: int = 0, **changes: Any) -> Ask:
    return Ask(MODEL, json.dumps(record(account_id=f"A{number}", **changes)).encode(), f"r{number}")


def together(predictor: Answering, log: InMemoryDecisionLog, act: Callable[[Desk], Sequence[Awaitable[Answer]]]) -> list[Any]:
    """What each of some requests gets that reach one desk at the same time: its answer, or what was raised."""

    async def asked() -> list[Any]:
        recorder = Recorder(log)
        try:
            return await asyncio.gather(*act(Desk(predictor, recorder, Meter())), return_exceptions=True)
        finally:
            await asyncio.to_thread(recorder.close)

    return asyncio.run(asked())


def test_requests_at_the_same_time_share_one_run_of_the_graph_and_get_what_they_would_get_alone() -> None:
    log, scorer = InMemoryDecisionLog(), Counting(b"0.1")
    predictor = serving(log, scorer)
    asks = [ask(n, status_0=n % 7) for n in range(20)]
    answers = together(predictor, log, lambda desk: [desk.answer(each) for each in asks])
    assert scorer.runs == [20]

    def told(answer: Answer) -> dict[str, Any]:
        return {name: value for name, value in json.loads(answer.response)["answers"][0].items() if name != "decision_id"}

    assert [told(answer) for answer in answers] == [told(predictor.answer(each)) for each in asks]
    assert [json.loads(answer.response)["request_id"] for answer in answers] == [each.request_id for each in asks]


def test_each_request_is_recorded_as_what_it_asked() -> None:
    log = InMemoryDecisionLog()
    answers = together(serving(log), log, lambda desk: [desk.answer(ask(n, status_0=n)) for n in range(5)])
    for number, answer in enumerate(answers):
        decision = log.find(json.loads(answer.response)["answers"][0]["decision_id"])
        assert (decision.account_id, decision.request_id) == (ACCOUNTS.pseudonym(f"A{number}"), f"r{number}")
        assert decision.inputs["status_0"] == number


def test_no_run_is_larger_than_it_may_be() -> None:
    log, scorer = InMemoryDecisionLog(), Counting(b"0.1")
    answers = together(serving(log, scorer), log, lambda desk: [desk.answer(ask(n)) for n in range(AT_ONCE * 2 + 5)])
    assert scorer.runs == [AT_ONCE, AT_ONCE, 5]
    assert len({answer.response for answer in answers}) == AT_ONCE * 2 + 5


def test_who_is_refused_falls_alone() -> None:
    log = InMemoryDecisionLog()
    asks = [ask(0), ask(1, status_0=99), ask(2), replace(ask(3), model="other")]
    first, refused, third, unknown = together(serving(log), log, lambda desk: [desk.answer(each) for each in asks])
    assert isinstance(refused, InputRefused)
    assert "'other'" in str(unknown)
    assert [json.loads(each.response)["request_id"] for each in (first, third)] == ["r0", "r2"]
    assert len(log.decisions) == 2


def test_over_whom_the_graph_fails_falls_alone() -> None:
    log = InMemoryDecisionLog()
    asks = [ask(0), ask(1, bill_0=BAD), ask(2)]
    first, failed, third = together(serving(log, Counting(b"0.1")), log, lambda desk: [desk.answer(each) for each in asks])
    assert isinstance(failed, Integrity)
    assert {type(first), type(third)} == {Answer}
    assert len(log.decisions) == 2


def test_what_nobody_expected_reaches_only_whom_it_befell() -> None:
    class Bug(Counting):
        def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
            if (inputs[:, 3] == BAD).any():
                raise RuntimeError("a bug")
            return super().probabilities(inputs)

    log = InMemoryDecisionLog()
    asks = [ask(0), ask(1, bill_0=BAD), ask(2)]
    first, failed, third = together(serving(log, Bug(b"0.1")), log, lambda desk: [desk.answer(each) for each in asks])
    assert isinstance(failed, RuntimeError)
    assert {type(first), type(third)} == {Answer}


def test_of_a_client_that_went_away_before_its_turn_nothing_is_decided() -> None:
    log = InMemoryDecisionLog()

    def asked(desk: Desk) -> list[Awaitable[Answer]]:
        tasks = [asyncio.ensure_future(desk.answer(ask(n))) for n in range(2)]
        asyncio.get_running_loop().call_soon(tasks[0].cancel)  # it waits by then, and the desk has not begun
        return list(tasks)

    gone, answered = together(serving(log), log, asked)
    assert isinstance(gone, asyncio.CancelledError)
    assert list(log.decisions) == [json.loads(answered.response)["answers"][0]["decision_id"]]


def test_a_request_that_begins_later_gets_the_newer_model() -> None:
    log = InMemoryDecisionLog()
    old, new = loaded(0.1, 0.5)
    predictor = serving(log)
    predictor.swap(old)

    async def both(desk: Desk) -> list[Answer]:
        first = await desk.answer(ask(0))
        predictor.swap(new)
        return [first, await desk.answer(ask(1))]

    [[first, second]] = together(predictor, log, lambda desk: [both(desk)])  # type: ignore[list-item]
    assert [json.loads(each.response)["version"] for each in (first, second)] == [1, 2]


@pytest.mark.parametrize("size", [1, 60])
def test_retries_at_the_same_time_agree_on_one_answer(size: int) -> None:
    """Small bodies are decided together, large ones each in a thread."""
    log = InMemoryDecisionLog()
    body = json.dumps({"records": [record(account_id=f"A{n}") for n in range(size)]}).encode()
    answers = together(serving(log), log, lambda desk: [desk.answer(replace(ASK, body=body)) for _ in range(16)])
    assert len({answer.response for answer in answers}) == 1
    assert len(log.decisions) == size


def test_the_loser_of_a_race_gives_the_winners_answer() -> None:
    class Overtaken(InMemoryDecisionLog):
        """Another worker answers the same retry between our look and our commit."""

        overtaken = False

        def append_all(self, entries: Sequence[Entry]) -> None:
            if any(entry.answered for entry in entries) and not self.overtaken:
                self.overtaken = True
                serving(self).answer(ASK)
            super().append_all(entries)

    log = Overtaken()
    (answer,) = together(serving(log), log, lambda desk: [desk.answer(ASK)])
    assert answer.replayed
    assert json.loads(answer.response)["answers"][0]["decision_id"] in log.decisions
    assert len(log.decisions) == 1
