"""Answers for many requests at once, on one event loop: decide together, record together.

What the loop has read by the time it comes to deciding shares one run of the graph and one commit. Nobody waits for a group to
fill: a request that is alone is decided at once, and the busier the service, the larger the groups.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from time import perf_counter
from typing import Protocol

from models.errors import Conflict
from monitoring.decisions import LoggedDecision
from serving.answers.answer import Answer, Ask
from serving.answers.deciding import Prepared
from serving.answers.prediction import Predictor
from serving.durability.recording import Recorder
from serving.rollout.trial import Trial
from serving.telemetry.metering import DECIDE, RECORD, Meter

SMALL = 4_096
"""Bytes of a body that is decided on the spot, at most: a few records, for which a thread costs more than they do."""
AT_ONCE, AT_ONCE_BYTES = 64, 4 * SMALL
"""Requests, and bytes of their bodies, that are decided in one go, at most: what others send meanwhile, health too, is not kept
waiting for longer."""
Offer = Callable[[Mapping[str, Trial], Sequence[LoggedDecision]], None]

logger = logging.getLogger("steward.serving")


class Caller(Protocol):
    """Who waits for an answer."""

    @property
    def gone(self) -> bool:
        """Nobody waits any more: nothing is decided."""
        ...

    def hear(self, outcome: Answer | Exception) -> None:
        """Once, on the event loop. The decisions of an answer are durable."""
        ...


class Desk:
    """Takes requests of one event loop."""

    def __init__(self, predictor: Predictor, recorder: Recorder, meter: Meter, offer: Offer = lambda *_: None) -> None:
        """`offer` takes the decisions of an answer that has left, while a roll-out applies; it returns at once."""
        self._predictor = predictor
        self._recorder = recorder
        self._meter = meter
        self._offer = offer
        self._waiting: list[_Turn] = []

    def take(self, ask: Ask, caller: Caller) -> None:
        """Decided and recorded when the loop has read what there is to read. For small bodies without an idempotency key."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._decide)
        self._waiting.append(_Turn(ask, caller, self._meter))

    async def answer(self, ask: Ask) -> Answer:
        """The answer; its decisions are durable when it returns. Raises what `Predictor.prepare` refuses, `Conflict` for a key
        that was used for another body, and what `Recorder.record` raises."""
        if ask.key and (before := await asyncio.to_thread(self._predictor.before, ask)):
            return before
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(future)
        if len(ask.body) <= SMALL:
            self.take(ask, waiter)
        else:
            turn = _Turn(ask, waiter, self._meter)
            self._record(turn, await asyncio.to_thread(self._alone, ask))
            self._recorder.flush()
        try:
            return await future
        except Conflict:
            if ask.key and (before := await asyncio.to_thread(self._predictor.before, ask)):
                return before  # the same retry was answered by somebody else meanwhile
            raise

    def _decide(self) -> None:
        sizes = accumulate(len(turn.ask.body) for turn in self._waiting[:AT_ONCE])
        count = max(1, sum(size <= AT_ONCE_BYTES for size in sizes))
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._decide)
        turns = [turn for turn in group if not turn.caller.gone]
        for turn, outcome in zip(turns, self._outcomes([turn.ask for turn in turns]), strict=True):
            self._record(turn, outcome)
        self._recorder.flush()

    def _record(self, turn: "_Turn", outcome: Prepared | Exception) -> None:
        if isinstance(outcome, Exception):
            turn.hear(outcome)
            return
        turn.decided(outcome)
        try:
            told = partial(self._recorded, turn, outcome.entry.decisions) if self._predictor.trials else turn.recorded
            self._recorder.take(outcome.entry, told)
        except Exception as error:  # noqa: BLE001, whatever it is, whoever waits must hear of it
            turn.hear(error)

    def _recorded(self, turn: "_Turn", decisions: Sequence[LoggedDecision], error: Exception | None) -> None:
        """While a roll-out applies: the answer leaves, then its decisions are offered."""
        turn.recorded(error)
        if error is None:
            asyncio.get_running_loop().call_soon(self._offer, self._predictor.trials, decisions)

    def _alone(self, ask: Ask) -> Prepared | Exception:
        return self._outcomes([ask])[0]

    def _outcomes(self, asks: Sequence[Ask]) -> Sequence[Prepared | Exception]:
        """If deciding together fails, each by itself, so that none falls with another."""
        try:
            return self._predictor.prepare(asks)
        except Exception as error:  # noqa: BLE001, whatever it is, those who wait must hear of it
            return [error] if len(asks) == 1 else [outcome for each in asks for outcome in self._outcomes([each])]


class _Turn:
    """One request, from when it was taken to when its caller heard."""

    __slots__ = ("_began", "_decided", "_meter", "_prepared", "ask", "caller")

    def __init__(self, ask: Ask, caller: Caller, meter: Meter) -> None:
        self.ask = ask
        self.caller = caller
        self._meter = meter
        self._began = self._decided = perf_counter()
        self._prepared: Prepared | None = None

    def decided(self, prepared: Prepared) -> None:
        self._prepared, self._decided = prepared, perf_counter()
        self.ask.holder.decided(len(prepared.entry.decisions))
        self._meter.took(DECIDE, self._decided - self._began)

    def recorded(self, error: Exception | None) -> None:
        prepared = self._prepared
        if error or prepared is None:
            self.hear(error or RuntimeError("recorded before it was decided"))
            return
        now = perf_counter()
        self._meter.took(RECORD, now - self._decided)
        self._meter.recorded(prepared.entry.decisions)
        stages = {DECIDE: (self._began, self._decided), RECORD: (self._decided, now)}
        self.hear(Answer(prepared.response, stages=stages))

    def hear(self, outcome: Answer | Exception) -> None:
        """One who fails to hear keeps it from no other."""
        try:
            self.caller.hear(outcome)
        except Exception:
            logger.exception("request %s failed", self.ask.request_id, extra={"request_id": self.ask.request_id})


class _Waiter:
    """A coroutine that waits for a future."""

    __slots__ = ("_told",)

    def __init__(self, told: "asyncio.Future[Answer]") -> None:
        self._told = told

    @property
    def gone(self) -> bool:
        return self._told.done()

    def hear(self, outcome: Answer | Exception) -> None:
        if self._told.done():  # its client went away; what was decided is in the log all the same
            return
        if isinstance(outcome, Answer):
            self._told.set_result(outcome)
        else:
            self._told.set_exception(outcome)
