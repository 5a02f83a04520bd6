"""The client for asyncio: the same calls, awaited."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

import httpx

from serving.client.answers import Counsel, Readiness, Review, Scored, ServedModel
from serving.client.asking import CHANCE, Call, Lost, Patience, Reply, Try, asking, understood
from serving.client.calls import Address, Records, review, scored, served


class AsyncClient:
    """For one event loop. As `Client`."""

    def __init__(
        self,
        url: str,
        key: str = "",
        *,
        model: str = "",
        timeout: float = 10.0,
        retries: int = 3,
        verify: SSLContext | bool = True,
        plain_http: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = CHANCE,
    ) -> None:
        """As `Client`."""
        self._address = Address(url, key, model, plain_http)
        self._patience = Patience(timeout, retries, ticks, chance)
        self._sleep = sleep
        self._http = httpx.AsyncClient(verify=verify, transport=transport, trust_env=False)

    async def score(self, records: Records, *, model: str = "", idempotency_key: str = "") -> Scored:
        return scored(await self._ask(self._address.scoring(records, model, idempotency_key)))

    async def counterfactual(self, record: Mapping[str, Any], *, model: str = "") -> Counsel:
        return understood(Counsel.of, await self._ask(self._address.counterfactual(record, model)))

    async def review(
        self,
        decision_id: str,
        outcome: str,
        *,
        reviewer: str,
        reason_code: str,
        comment: str = "",
        statement: str = "",
        own_delinquency: bool = False,
    ) -> Review:
        said = review(outcome, reviewer, reason_code, comment, statement, own=own_delinquency)
        return understood(Review.of, await self._ask(self._address.reviewing(decision_id, said)))

    async def reviewed(self, decision_id: str) -> Review:
        return understood(Review.of, await self._ask(self._address.reviewed(decision_id)))

    async def models(self) -> tuple[ServedModel, ...]:
        return understood(served, await self._ask(self._address.models()))

    async def ready(self) -> Readiness:
        return understood(Readiness.of, await self._ask(self._address.ready()))

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def _ask(self, call: Call) -> Reply:
        steps = asking(call, self._patience)
        step = next(steps)
        while True:
            try:
                if isinstance(step, Try):
                    step = steps.send(await self._try(call, step.seconds))
                else:
                    await self._sleep(step.seconds)
                    step = next(steps)
            except StopIteration as done:
                reply: Reply = done.value
                return reply

    async def _try(self, call: Call, seconds: float) -> Reply | Lost:
        sent: dict[str, Any] = {"content": call.content, "headers": dict(call.headers), "timeout": seconds}
        try:
            async with asyncio.timeout(seconds):
                response = await self._http.request(call.method, call.path, **sent)
        except TimeoutError:
            return Lost(f"the answer was not whole within {seconds:.1f} s")
        except httpx.HTTPError as error:
            return Lost(f"no answer: {type(error).__name__}")
        return Reply(response.status_code, response.headers, response.content)
