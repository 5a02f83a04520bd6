"""Check, predict, record; and change the model while it answers. Nothing here knows of HTTP.

A new release is loaded completely, its golden rows scored, before the old one is let go: a bundle that cannot serve is
found while another one still does. The change itself is one assignment. A request holds on to the model that it began
with, so no answer mixes two versions.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Self
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from models.bundle import sha256
from models.channel import Pointer, Release
from models.clock import Clock, Month
from models.contract import Contract
from models.errors import Conflict, Detail, InputRefused, Integrity, NoChampion, NotApproved, NotFound, PlatformError
from models.governance.counterfactual import Counsel
from models.governance.reasons import UNEXPLAINED, Explainer, Explanation
from models.governance.rule import Rule
from models.policy import Action, Policy
from models.scoring import Scorer, check_golden_rows
from monitoring.decisions import Answered, DecisionLog, LoggedDecision, Review
from serving.checking import SHOWN, Checker, Record


@dataclass(frozen=True)
class Judged:
    """What is decided about one record. `interval` is Venn-Abers (p0, p1); `out_of_distribution` names inputs that are unlike
    any that the model was made from, for which a person decides."""

    action: str
    probability: float
    interval: tuple[float, float]
    out_of_distribution: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadedModel:
    """A verified release, ready to answer."""

    release: Release
    contract: Contract
    policy: Policy
    checker: Checker
    scorer: Scorer
    rule: Rule
    explainer: Explainer
    counsel: Counsel
    fallback: str = ""  # why the champion is stopped, if this model answers in its place

    @classmethod
    def load(cls, release: Release, make_scorer: Callable[[bytes], Scorer], max_records: int) -> Self:
        """Raises `Integrity` if the bundle cannot be read, its golden rows score differently or it cannot give reasons."""
        bundle = release.bundle
        try:
            contract, policy = bundle.contract, bundle.policy
            scorer = make_scorer(bundle.graph)
            check_golden_rows(bundle, scorer)
            rule, compared = Rule.of(bundle), bundle.part("reasons.json")
            explainer = Explainer(contract, policy, compared, scorer)
            counsel = Counsel(contract, policy, compared, scorer, rule)
        except (KeyError, TypeError, ValueError) as error:
            raise Integrity(
                f"bundle {bundle.digest[:12]} of {bundle.model} cannot be read: {error}",
                hint="it was sealed for another release of the platform; promote one that fits",
            ) from error
        return cls(release, contract, policy, Checker(contract, max_records), scorer, rule, explainer, counsel)

    @property
    def pointer(self) -> Pointer:
        return self.release.pointer

    @property
    def expires_at(self) -> datetime:
        """When the approval ends, under which this model answers."""
        return self.release.expires_at

    def example(self) -> dict[str, Any]:
        """A record that is accepted: the contract's own examples."""
        return {name: self.contract[name].example for name in self.checker.record.model_fields}

    def judged(self, records: Sequence[Record]) -> list[Judged]:
        """The decisions. Raises `Integrity` if the graph gives anything but a probability."""
        rows = self.packed(records)
        probability = self.probabilities(rows)
        actions, strange = self.rule.judged(probability, rows)
        named = {row: self._named(strange[row]) for row in np.flatnonzero(strange.any(axis=1)).tolist()}
        return [
            Judged(action, score, self.rule.intervals.at(score), named.get(row, ()))
            for row, (action, score) in enumerate(zip(actions.tolist(), probability.tolist(), strict=True))
        ]

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of packed inputs (records, inputs), quantised (records,). Raises `Integrity` if one is no probability."""
        probability = self.policy.quantise(self.scorer.probabilities(rows))
        if not ((probability >= 0) & (probability <= 1)).all():  # NaN too: it would pass every cut-off as harmless
            raise Integrity(
                f"version {self.pointer.version} of {self.pointer.model} gave a score that is no probability",
                hint="nothing was decided; roll back to the previous champion",
            )
        return probability

    def explanations(self, records: Sequence[Record], judged: Sequence[Judged]) -> list[Explanation]:
        """Why each record that is reduced is reduced; nothing to explain about the others."""
        found = [UNEXPLAINED] * len(records)
        if reduced := [place for place, each in enumerate(judged) if each.action == Action.REDUCE]:
            explained = self.explainer.explain(self.packed([records[place] for place in reduced]))
            for place, explanation in zip(reduced, explained, strict=True):
                found[place] = explanation
        return found

    def _named(self, strange: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(name for name, odd in zip(self.contract.inputs, strange.tolist(), strict=True) if odd)

    def packed(self, records: Sequence[Record]) -> NDArray[np.float64]:
        """What the graph takes, shape (records, inputs)."""
        take = itemgetter(*self.contract.inputs)
        return np.array([take(record) for record in records], dtype=np.float64).reshape(len(records), -1)


@dataclass(frozen=True)
class Ask:
    """A request to score. `idempotency_key` is the client's, "" for none."""

    model: str
    body: bytes
    request_id: str
    idempotency_key: str = ""

    @property
    def key(self) -> str:
        """Keys of different models do not meet."""
        return f"{self.model}:{self.idempotency_key}" if self.idempotency_key else ""

    @property
    def digest(self) -> str:
        return sha256(self.body)


@dataclass(frozen=True)
class Answer:
    """The response's bytes, and whether they were given before."""

    response: bytes
    replayed: bool = False


@dataclass(frozen=True)
class Halt:
    """A model that a person stopped: what every client is told, and what answers in its place, if anything."""

    why: PlatformError
    fallback: LoadedModel | None = None


class Predictor:
    """Answers for every model that was swapped in. Safe for several threads."""

    def __init__(
        self, log: DecisionLog, clock: Clock, hide: Callable[[str], str], new_id: Callable[[], str] = lambda: uuid4().hex
    ) -> None:
        self._log = log
        self._clock = clock
        self._hide = hide  # account id to pseudonym: no id is recorded
        self._new_id = new_id
        self._models: Mapping[str, LoadedModel] = {}
        self._stopped: Mapping[str, NotApproved] = {}
        self._halted: Mapping[str, Halt] = {}
        self._sequences: dict[str, int] = {}

    @property
    def models(self) -> Mapping[str, LoadedModel]:
        """What is served now, by name."""
        return self._models

    @property
    def stopped(self) -> Mapping[str, NotApproved]:
        """What may not answer any more, by name, and why."""
        return self._stopped

    def swap(self, model: LoadedModel) -> None:
        """Serve this release from the next request on. Raises `Integrity` if it is older than the one served."""
        pointer = model.pointer
        newest = self._sequences.get(pointer.model, 0)
        if pointer.sequence < newest:
            raise Integrity(
                f"pointer {pointer.sequence} of {pointer.model} is older than {newest}, which was served here",
                hint="an old state of the channel was put back; roll back by publishing a new pointer",
            )
        self._sequences[pointer.model] = pointer.sequence
        self._models = {**self._models, pointer.model: model}
        self._stopped = {name: why for name, why in self._stopped.items() if name != pointer.model}

    def stop(self, name: str, why: NotApproved) -> None:
        """Answer no further request with this model, and say why; until a release of it is swapped in again."""
        self._stopped = {**self._stopped, name: why}
        self._models = {other: model for other, model in self._models.items() if other != name}

    @property
    def halted(self) -> Mapping[str, "Halt"]:
        """What a person stopped, by name; its champion is kept ready in `models`."""
        return self._halted

    @property
    def answering(self) -> list[LoadedModel]:
        """What answers now: the champions, and the fallbacks of those that a person stopped."""
        halted = self._halted
        found = [halted[name].fallback if name in halted else model for name, model in self._models.items()]
        return [model for model in found if model is not None]

    def halt(self, name: str, halt: "Halt | None") -> None:
        """From the next request on let a fallback or nobody answer; None lets the champion answer again."""
        others = {other: found for other, found in self._halted.items() if other != name}
        self._halted = others if halt is None else {**others, name: halt}

    def answer(self, ask: Ask) -> Answer:
        """Score, record, answer; the decisions are durable before this returns.

        A retry under the same key gets the same bytes, whatever is served by then. Raises `InputRefused`, `NotFound`,
        `Conflict` (the key was used for another body), `NotApproved` (the approval ended), `Integrity`, `Unavailable`.
        """
        if ask.key and (before := self._log.answered(ask.key)):
            return _given_before(before, ask)
        model = self.model(ask.model)
        decisions = self._decide(model, model.checker.records(ask.body), ask.request_id)
        response = _response(model, decisions, ask.request_id)
        try:
            self._log.append(decisions, Answered(ask.key, ask.digest, response) if ask.key else None)
        except Conflict:
            if ask.key and (before := self._log.answered(ask.key)):
                return _given_before(before, ask)  # the same retry was answered by somebody else meanwhile
            raise
        return Answer(response)

    def review(self, decision_id: str, *, outcome: str, reviewer: str, reason_code: str, comment: str) -> Review:
        """Record what a person decided; durable before this returns. Raises `NotFound`, `Conflict` or `Unavailable`."""
        return self._log.review(Review(decision_id, outcome, reviewer, reason_code, comment, self._clock.now()))

    def reviewed(self, decision_id: str) -> Review | None:
        """What a person decided, if anybody did. Raises `NotFound` for an unknown decision."""
        return self._log.reviewed(decision_id)

    def model(self, name: str) -> LoadedModel:
        """What answers for a model now. Raises `NotFound`, `NoChampion` or `NotApproved`."""
        models, stopped, halt = self._models, self._stopped, self._halted.get(name)
        if halt:
            if halt.fallback is None:
                raise halt.why
            return self._approved(halt.fallback)
        if name in models:
            return self._approved(models[name])
        if name in stopped:
            raise stopped[name]
        if not models:
            raise NoChampion("no model is served yet", hint="run `make train`; /health/ready says what is missing")
        raise NotFound(f"no model {name!r} is served here", hint=f"served: {', '.join(sorted(models))}")

    def _approved(self, model: LoadedModel) -> LoadedModel:
        """Asked at every request: an approval may end between two looks at the channel."""
        if self._clock.now() >= model.expires_at:
            raise expired(model)
        return model

    def _decide(self, model: LoadedModel, records: Sequence[Record], request_id: str) -> list[LoggedDecision]:
        judged = model.judged(records)
        why = model.explanations(records, judged)
        pointer, names, key, time = model.pointer, model.contract.inputs, model.contract.key, model.contract.time
        token, now = self._new_id(), self._clock.now()
        months = {text: Month.parse(text) for text in {record[time] for record in records}}
        _refuse_the_future(records, time, Month.of(now.date()))
        return [
            LoggedDecision(
                decision_id=f"{token}-{number}",
                model=pointer.model,
                version=pointer.version,
                bundle=pointer.bundle,
                account_id=self._hide(record[key]),
                month=months[record[time]],
                inputs={name: record[name] for name in names},
                probability=found.probability,
                action=found.action,
                recorded_at=now,
                request_id=request_id,
                no_notice=because.no_notice,
                reasons=because.reasons,
                fallback=model.fallback,
                out_of_distribution=found.out_of_distribution,
            )
            for number, (record, found, because) in enumerate(zip(records, judged, why, strict=True))
        ]


def expired(model: LoadedModel) -> NotApproved:
    return NotApproved(
        f"the approval of {model.pointer.model} version {model.pointer.version} expired at {model.expires_at.isoformat()}",
        hint="nothing is decided without one: ask a validator for a new approval; it is picked up without a restart",
    )


def _given_before(before: Answered, ask: Ask) -> Answer:
    if before.request_digest != ask.digest:
        raise Conflict(
            f"the idempotency key {ask.idempotency_key!r} was used for another body",
            hint="a retry repeats the body byte by byte; a new question takes a new key",
        )
    return Answer(before.response, replayed=True)


def told(decision_id: str, judged: Judged, why: Explanation) -> dict[str, Any]:
    """What a client gets of a decision: of a reduction its reasons, and whether it is one that needs no notice."""
    answer: dict[str, Any] = {"decision_id": decision_id, "decision": judged.action, "probability": judged.probability}
    answer["interval"] = judged.interval
    if judged.out_of_distribution:
        answer["out_of_distribution"] = judged.out_of_distribution
    if why.reasons:
        answer["reasons"] = [reason.to_dict() for reason in why.reasons]
        answer["no_notice"] = bool(why.no_notice)
    return answer | ({"no_notice_basis": why.no_notice} if why.no_notice else {})


def _response(model: LoadedModel, decisions: Sequence[LoggedDecision], request_id: str) -> bytes:
    """Answers stand in the order of the records."""
    answers = [told(d.decision_id, _judged(model, d), Explanation(d.no_notice, d.reasons)) for d in decisions]
    pointer = model.pointer
    head = {"request_id": request_id, "model": pointer.model, "version": pointer.version, "bundle": pointer.bundle}
    head |= {"fallback": model.fallback} if model.fallback else {}
    return json.dumps(head | {"answers": answers}, separators=(",", ":"), allow_nan=False).encode()


def _judged(model: LoadedModel, decision: LoggedDecision) -> Judged:
    """As it was decided: the interval is a function of the score, so the log need not keep it."""
    interval = model.rule.intervals.at(decision.probability)
    return Judged(decision.action, decision.probability, interval, decision.out_of_distribution)


def _refuse_the_future(records: Sequence[Record], time: str, this_month: Month) -> None:
    """Raises `InputRefused`: what is to come cannot have been observed, and would hide the months that were."""
    rule = f"a month up to {this_month}, the current one"
    late = [Detail(number, time, record[time], rule) for number, record in enumerate(records) if record[time] > str(this_month)]
    if late:
        first = late[0]
        raise InputRefused(
            f"record {first.record}, {time}: {first.value} is refused: {rule}",
            late[:SHOWN],
            hint="nothing was decided; correct the records and send them all again",
        )
