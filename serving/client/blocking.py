"""The client for code that waits."""

import time
from collections.abc import Callable, Mapping
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

import httpx

from serving.client.answers import Counsel, Readiness, Review, Scored, ServedModel
from serving.client.asking import CHANCE, Call, Lost, Patience, Reply, Try, asking, understood
from serving.client.calls import Address, Records, review, scored, served


class Client:
    """Safe for several threads. `timeout` bounds each call with all its tries, to within one read from the network.

    Nothing is taken from the environment, no proxy and no password: the key goes where the address says.
    """

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
        transport: httpx.BaseTransport | None = None,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = CHANCE,
    ) -> None:
        """`model` is asked where a call names none. `verify`: the certificates to trust, where they are not the usual ones.
        `transport`, `ticks`, `sleep` and `chance` are for tests. Raises `Misconfigured`."""
        self._address = Address(url, key, model, plain_http)
        self._patience = Patience(timeout, retries, ticks, chance)
        self._sleep = sleep
        self._http = httpx.Client(verify=verify, transport=transport, trust_env=False)

    def score(self, records: Records, *, model: str = "", idempotency_key: str = "") -> Scored:
        """Decide on one record or several, and record it. A caller that may itself be started again gives a key of its own."""
        return scored(self._ask(self._address.scoring(records, model, idempotency_key)))

    def counterfactual(self, record: Mapping[str, Any], *, model: str = "") -> Counsel:
        """What would have helped this account. Nothing is decided or recorded."""
        return understood(Counsel.of, self._ask(self._address.counterfactual(record, model)))

    def review(
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
        """Bring a person's outcome: keep or reduce."""
        said = review(outcome, reviewer, reason_code, comment, statement, own=own_delinquency)
        return understood(Review.of, self._ask(self._address.reviewing(decision_id, said)))

    def reviewed(self, decision_id: str) -> Review:
        """What a person decided, if anybody did."""
        return understood(Review.of, self._ask(self._address.reviewed(decision_id)))

    def models(self) -> tuple[ServedModel, ...]:
        """What is served now, of what the key is for."""
        return understood(served, self._ask(self._address.models()))

    def ready(self) -> Readiness:
        """Whether requests can be answered. Raises `Unavailable` if nobody says so."""
        return understood(Readiness.of, self._ask(self._address.ready()))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _ask(self, call: Call) -> Reply:
        steps = asking(call, self._patience)
        step = next(steps)
        while True:
            try:
                if isinstance(step, Try):
                    step = steps.send(self._try(call, step.seconds))
                else:
                    self._sleep(step.seconds)
                    step = next(steps)
            except StopIteration as done:
                reply: Reply = done.value
                return reply

    def _try(self, call: Call, seconds: float) -> Reply | Lost:
        """An answer that comes drop by drop is given up when the time is over, and not when it ends."""
        until = self._patience.ticks() + seconds
        sent: dict[str, Any] = {"content": call.content, "headers": dict(call.headers), "timeout": seconds}
        try:
            with self._http.stream(call.method, call.path, **sent) as response:
                taken = bytearray()
                for part in response.iter_bytes():
                    taken += part
                    if self._patience.ticks() > until:
                        return Lost(f"the answer was not whole within {seconds:.1f} s")
                return Reply(response.status_code, response.headers, bytes(taken))
        except httpx.HTTPError as error:
            return Lost(f"no answer: {type(error).__name__}")
