"""Answering many at once, as the service does it."""

import asyncio
import json
from collections.abc import Sequence

from models.clock import FixedClock
from monitoring.decisions import Entry
from serving.answering import answered
from serving.answers import Answer, Ask
from serving.prediction import Predictor
from serving.recording import Recorder
from tests.bundles import MODEL, NOW, record
from tests.fakes.decisions import InMemoryDecisionLog
from tests.rings import ACCOUNTS
from tests.unit.serving.test_prediction import loaded

ASK = Ask(MODEL, json.dumps(record()).encode(), "r1", "k")


def serving(log: InMemoryDecisionLog) -> Predictor:
    made = Predictor(log, FixedClock(NOW), ACCOUNTS.pseudonym)
    made.swap(loaded(0.1)[0])
    return made


async def asked(log: InMemoryDecisionLog, times: int) -> list[Answer]:
    recorder = Recorder(log)
    try:
        return await asyncio.gather(*(answered(serving(log), recorder, ASK) for _ in range(times)))
    finally:
        await asyncio.to_thread(recorder.close)


def test_retries_at_the_same_time_agree_on_one_answer() -> None:
    log = InMemoryDecisionLog()
    answers = asyncio.run(asked(log, 16))
    assert len({answer.response for answer in answers}) == 1
    assert len(log.decisions) == 1


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
    (answer,) = asyncio.run(asked(log, 1))
    assert answer.replayed
    assert json.loads(answer.response)["answers"][0]["decision_id"] in log.decisions
    assert len(log.decisions) == 1
