"""Answers for many requests at once, on one event loop: decide together, record together.

What the loop has read by the time it comes to deciding shares one run of the graph. Nobody waits for a group to fill: a
request that is alone is decided at once, and the busier the service, the larger the groups.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter

from models.errors import Conflict
from serving.answers.answer import Answer, Ask
from serving.answers.deciding import Prepared
from serving.answers.prediction import Predictor
from serving.durability.recording import Recorder
from serving.telemetry.metering import DECIDE, RECORD, Meter

SMALL = 4_096
"""Bytes of a body that is decided on the spot, at most: a few records, for which a thread costs more than they do."""
AT_ONCE = 64
"""Requests decided in one go, at most: what others send meanwhile is not kept waiting for longer."""


class Desk:
    """Takes requests of one event loop."""

    def __init__(self, predictor: Predictor, recorder: Recorder, meter: Meter) -> None:
        self._predictor = predictor
        self._recorder = recorder
        self._meter = meter
        self._waiting: list[tuple[Ask, asyncio.Future[Prepared]]] = []

    async def answer(self, ask: Ask) -> Answer:
        """The answer; its decisions are durable when it returns. Raises what `Predictor.prepare` refuses, `Conflict` for a key
        that was used for another body, and what `Recorder.record` raises."""
        if ask.key and (before := await asyncio.to_thread(self._predictor.before, ask)):
            return before
        began = perf_counter()
        prepared = await (self._soon(ask) if len(ask.body) <= SMALL else asyncio.to_thread(self._alone, ask))
        decided = perf_counter()
        ask.holder.decided(len(prepared.entry.decisions))
        self._meter.took(DECIDE, decided - began)
        try:
            await self._recorder.record(prepared.entry)
        except Conflict:
            if ask.key and (before := await asyncio.to_thread(self._predictor.before, ask)):
                return before  # the same retry was answered by somebody else meanwhile
            raise
        recorded = perf_counter()
        self._meter.took(RECORD, recorded - decided)
        self._meter.recorded(prepared.entry.decisions)
        return Answer(prepared.response, stages={DECIDE: (began, decided), RECORD: (decided, recorded)})

    def _soon(self, ask: Ask) -> "asyncio.Future[Prepared]":
        """Decided when the loop has read what there is to read."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Prepared] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._decide)
        self._waiting.append((ask, told))
        return told

    def _decide(self) -> None:
        group, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._decide)
        asked = [(ask, told) for ask, told in group if not told.done()]  # of a client that went away nothing is decided
        for (_, told), outcome in zip(asked, self._outcomes([ask for ask, _ in asked]), strict=True):
            told.set_result(outcome) if isinstance(outcome, Prepared) else told.set_exception(outcome)

    def _alone(self, ask: Ask) -> Prepared:
        (outcome,) = self._outcomes([ask])
        if isinstance(outcome, Prepared):
            return outcome
        raise outcome

    def _outcomes(self, asks: Sequence[Ask]) -> Sequence[Prepared | Exception]:
        """If deciding together fails, each by itself, so that none falls with another."""
        try:
            return self._predictor.prepare(asks)
        except Exception as error:  # noqa: BLE001, whatever it is, those who wait must hear of it
            return [error] if len(asks) == 1 else [outcome for each in asks for outcome in self._outcomes([each])]
