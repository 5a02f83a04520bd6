"""What the service answers, as values. What a newer service says beside is left out; what is missing is `NotUnderstood`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

Json = Mapping[str, Any]
Read = TypeVar("Read")


@dataclass(frozen=True)
class Reason:
    """Why an account was reduced, for its notice; `contribution` in log-odds above accounts that just were not."""

    code: str
    group: str
    text: str
    contribution: float
    confirmed: bool

    @classmethod
    def of(cls, said: Json) -> Self:
        return cls(_text(said, "code"), _text(said, "group"), _text(said, "text"), _number(said, "contribution"), _flag(said))


@dataclass(frozen=True)
class Decision:
    """`no_notice` is None where there is nothing to notify; of a reduction, whether none is due, by which rule.

    `version` and `bundle` are what decided: in a canary not the same for every record of a request.
    """

    decision_id: str
    decision: str
    probability: float
    interval: tuple[float, float]
    version: int
    bundle: str
    out_of_distribution: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    no_notice: bool | None = None
    no_notice_basis: str = ""

    @classmethod
    def of(cls, said: Json, version: int, bundle: str) -> Self:
        """Decided by this bundle, unless the answer names another."""
        low, high = said["interval"]
        return cls(
            decision_id=_text(said, "decision_id"),
            decision=_text(said, "decision"),
            probability=_number(said, "probability"),
            interval=(float(low), float(high)),
            version=int(said.get("version") or version),
            bundle=said.get("bundle") or bundle,
            out_of_distribution=tuple(said.get("out_of_distribution") or ()),
            reasons=_each(said.get("reasons"), Reason.of),
            no_notice=said.get("no_notice"),
            no_notice_basis=said.get("no_notice_basis") or "",
        )


@dataclass(frozen=True)
class Scored:
    """`answers` in the order of the records, each with what decided it.

    `replayed`: an earlier try had been decided, and this is its answer.
    """

    request_id: str
    model: str
    version: int
    bundle: str
    answers: tuple[Decision, ...]
    fallback: str = ""
    replayed: bool = False

    @classmethod
    def of(cls, said: Json, *, replayed: bool = False) -> Self:
        head = (_text(said, "request_id"), _text(said, "model"), int(said["version"]), _text(said, "bundle"))
        answers = _each(said["answers"], lambda each: Decision.of(each, *head[2:]))
        return cls(*head, answers, said.get("fallback") or "", replayed)

    @property
    def only(self) -> Decision:
        """The one answer to one record."""
        (answer,) = self.answers
        return answer


@dataclass(frozen=True)
class Change:
    field: str
    meaning: str
    unit: str
    before: float
    after: float

    @classmethod
    def of(cls, said: Json) -> Self:
        texts = _text(said, "field"), _text(said, "meaning"), _text(said, "unit")
        return cls(*texts, _number(said, "from"), _number(said, "to"))


@dataclass(frozen=True)
class Better:
    """`way`: the share of accounts passed between the old and the new values, summed over the changes."""

    would_be: str
    probability: float
    way: float
    changes: tuple[Change, ...]

    @classmethod
    def of(cls, said: Json) -> Self:
        figures = _number(said, "probability"), _number(said, "way")
        return cls(_text(said, "would_be"), *figures, _each(said["changes"], Change.of))


@dataclass(frozen=True)
class Counsel:
    """What would have helped; None if nothing was found or nothing is needed. No decision: nothing was recorded."""

    request_id: str
    model: str
    version: int
    bundle: str
    would_be: str
    probability: float
    counterfactual: Better | None
    explanation: str

    @classmethod
    def of(cls, said: Json) -> Self:
        found = said["counterfactual"]
        return cls(
            request_id=_text(said, "request_id"),
            model=_text(said, "model"),
            version=int(said["version"]),
            bundle=_text(said, "bundle"),
            would_be=_text(said, "would_be"),
            probability=_number(said, "probability"),
            counterfactual=Better.of(found) if found is not None else None,
            explanation=_text(said, "explanation"),
        )


@dataclass(frozen=True)
class Review:
    """`outcome` is "" while nobody has reviewed the decision."""

    decision_id: str
    outcome: str
    reviewer: str
    reason_code: str
    comment: str
    statement: str
    recorded_at: str
    reasons: tuple[Reason, ...] = ()
    no_notice: bool | None = None
    no_notice_basis: str = ""

    @classmethod
    def of(cls, said: Json) -> Self:
        return cls(
            decision_id=_text(said, "decision_id"),
            outcome=said.get("outcome") or "",
            reviewer=_text(said, "reviewer"),
            reason_code=_text(said, "reason_code"),
            comment=_text(said, "comment"),
            statement=_text(said, "statement"),
            recorded_at=_text(said, "recorded_at"),
            reasons=_each(said.get("reasons"), Reason.of),
            no_notice=said.get("no_notice"),
            no_notice_basis=said.get("no_notice_basis") or "",
        )


@dataclass(frozen=True)
class ServedModel:
    """`stale`: the release channel did not confirm it at the last look."""

    model: str
    version: int
    bundle: str
    published_at: str
    contract_version: int
    fields: tuple[str, ...]
    stale: bool

    @classmethod
    def of(cls, said: Json) -> Self:
        return cls(
            model=_text(said, "model"),
            version=int(said["version"]),
            bundle=_text(said, "bundle"),
            published_at=_text(said, "published_at"),
            contract_version=int(said["contract_version"]),
            fields=tuple(said["fields"]),
            stale=bool(said["stale"]),
        )


@dataclass(frozen=True)
class Trouble:
    where: str
    problem: str
    hint: str

    @classmethod
    def of(cls, said: Json) -> Self:
        return cls(_text(said, "where"), _text(said, "problem"), _text(said, "hint"))


@dataclass(frozen=True)
class Readiness:
    """`models` and `problems` are empty for a key that may not read them."""

    ready: bool
    reason: str
    models: tuple[ServedModel, ...] = ()
    problems: tuple[Trouble, ...] = ()

    @classmethod
    def of(cls, said: Json) -> Self:
        models, problems = _each(said.get("models"), ServedModel.of), _each(said.get("problems"), Trouble.of)
        return cls(bool(said["ready"]), _text(said, "reason"), models, problems)


def _each(found: Any, read: Callable[[Json], Read]) -> tuple[Read, ...]:
    return tuple(read(one) for one in found or ())


def _text(said: Json, name: str) -> str:
    found = said[name]
    if not isinstance(found, str):
        raise TypeError(f"{name} is no text")
    return found


def _number(said: Json, name: str) -> float:
    found = said[name]
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise TypeError(f"{name} is no number")
    return float(found)


def _flag(said: Json) -> bool:
    return said["confirmed"] is True
