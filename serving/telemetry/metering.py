"""What the service counts of itself: additions on the event loop, made into families only when somebody asks.

Nothing counted here names an account, a client or a value of a record, and labels take their values from short lists.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime
from time import monotonic_ns, perf_counter

from monitoring.decisions import LoggedDecision
from monitoring.telemetry.families import Family, Histogram, Labels, gauge
from serving.answers.loaded import LoadedModel

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends of the steps of latency."""
SCORES = tuple(round(0.05 * step, 2) for step in range(1, 21))
"""Upper ends of the steps of probability."""
FAILURES = (500, 503)
"""Statuses of requests at which the service failed."""
DECIDE, RECORD, WHOLE = "decide", "record", "whole"
"""Stages of a scoring request: until its decisions were made, from then on until they were durable, and all of it."""


class Numbers(list[Family]):
    """What one event loop had counted at one moment; gathered on that loop, told and kept by any thread."""

    def __init__(self, families: Iterable[Family] = ()) -> None:
        self.moment = monotonic_ns()
        super().__init__(families)


class Meter:
    """Of one event loop."""

    def __init__(self) -> None:
        self._stages = {stage: Histogram(SECONDS) for stage in (DECIDE, RECORD, WHOLE)}
        self._scores: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(SCORES))
        self._decisions: Counter[tuple[str, int, str, bool, bool]] = Counter()
        # Zero is said before anything fails: of a number that appears as 1 nobody sees that it grew.
        self._responses: Counter[int] = Counter(dict.fromkeys(FAILURES, 0))
        self._in_flight = 0

    def began(self) -> None:
        self._in_flight += 1

    def ended(self, seconds: float) -> None:
        self._in_flight -= 1
        self._stages[WHOLE].add(seconds)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Of a scoring request that was let in, from its beginning to its end."""
        began = perf_counter()
        self.began()
        try:
            yield
        finally:
            self.ended(perf_counter() - began)

    def responded(self, status: int) -> None:
        """A scoring request was answered, or turned away; 0 if its client had gone."""
        self._responses[status] += 1

    def took(self, stage: str, seconds: float) -> None:
        self._stages[stage].add(seconds)

    def recorded(self, decisions: Iterable[LoggedDecision]) -> None:
        for each in decisions:
            self._decisions[each.model, each.version, each.action, bool(each.fallback), bool(each.out_of_distribution)] += 1
            self._scores[each.model].add(each.probability)

    def families(self) -> Iterator[Family]:
        yield Family(
            "steward_stage_seconds",
            "histogram",
            "time of a scoring request by stage: decide, record, whole",
            {(("stage", name),): found.copy() for name, found in self._stages.items()},
        )
        yield Family(
            "steward_score",
            "histogram",
            "probabilities that were decided on",
            {(("model", name),): found.copy() for name, found in self._scores.items()},
        )
        yield Family(
            "steward_decisions",
            "counter",
            "decisions recorded; fallback: for a stopped champion, unfamiliar: for the input, not the score",
            {_decision(*key): count for key, count in self._decisions.items()},
        )
        yield Family(
            "steward_responses",
            "counter",
            "scoring requests by status, those turned away at the door too; 0: the client had gone",
            {(("status", str(status)),): count for status, count in self._responses.items()},
        )
        yield gauge("in_flight", "scoring requests that are not answered yet", self._in_flight, adds_up=True)


def in_force(models: Iterable[LoadedModel], stale: AbstractSet[str] = frozenset()) -> Iterator[Family]:
    """What answers now. Its age is the time less when it was published. `stale` names what the channel did not confirm."""
    shown: list[tuple[LoadedModel, Labels]] = [(model, (("model", model.pointer.model),)) for model in models]
    yield Family(
        "steward_model",
        "gauge",
        "1 for what answers now",
        {(*name, ("version", str(model.pointer.version)), ("bundle", model.pointer.bundle)): 1 for model, name in shown},
        adds_up=False,
    )
    published = {name: datetime.fromisoformat(model.pointer.published_at).timestamp() for model, name in shown}
    yield Family("steward_model_published_seconds", "gauge", "when it was put into force, since 1970", published, adds_up=False)
    unconfirmed = {name: float(model.pointer.model in stale) for model, name in shown}
    yield Family(
        "steward_model_stale", "gauge", "1 if the release channel did not confirm it at the last look", unconfirmed, adds_up=False
    )
    ends = {name: model.expires_at.timestamp() for model, name in shown}
    yield Family("steward_model_approval_ends_seconds", "gauge", "when its approval ends, since 1970", ends, adds_up=False)


def _decision(model: str, version: int, action: str, fallback: bool, unfamiliar: bool) -> Labels:  # noqa: FBT001, labels
    said = {"model": model, "version": str(version), "action": action}
    flags = {"fallback": str(fallback).lower(), "unfamiliar": str(unfamiliar).lower()}
    return tuple((said | flags).items())
