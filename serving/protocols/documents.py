"""What goes over the wire, written down: the bodies of answers and problems."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, replace
from typing import Literal

from pydantic import BaseModel, Field

from models.errors import InputRefused, PlatformError
from models.governance.explanation.reasons import MOST
from serving.answers.loaded import LoadedModel
from serving.rollout.trial import Trial

JSON = "application/json"
PROBLEM = "application/problem+json"


class StatedReason(BaseModel):
    code: str
    group: str = Field(description="the inputs that count as one reason")
    text: str = Field(description="for the notice to the customer")
    contribution: float = Field(gt=0, description="log-odds above accounts that just were not reduced")
    confirmed: bool = Field(description="whether resetting this group alone lowers the probability")


class Decided(BaseModel):
    decision_id: str = Field(description="under which the decision log keeps it")
    decision: str = Field(description="keep, review or reduce; review too where a cut-off lies within the interval")
    probability: float = Field(ge=0, le=1, description="of a bad outcome, rounded as the policy says")
    interval: tuple[float, float] = Field(
        description="spans the probability and the two of Venn-Abers, one of which is perfectly calibrated"
    )
    out_of_distribution: list[str] | None = Field(
        default=None,
        min_length=1,
        description="inputs that, alone or together, are unlike any of the model's own; a person decides",
    )
    reasons: list[StatedReason] | None = Field(
        default=None, min_length=1, max_length=MOST, description="of a reduction, the weightiest first"
    )
    no_notice: bool | None = Field(default=None, description="of a reduction: it is no adverse action, no notice is due")
    no_notice_basis: str | None = Field(default=None, description="the rule that says so")
    version: int | None = Field(
        default=None, description="of another bundle than the one above, if that decided here: a canary's"
    )
    bundle: str | None = Field(default=None, description="the same; what names none was decided by the one above")


class Changed(BaseModel):
    field: str
    meaning: str
    unit: str
    from_: float = Field(alias="from")
    to: float


class Better(BaseModel):
    would_be: str = Field(description="keep or review")
    probability: float = Field(ge=0, le=1)
    way: float = Field(description="share of accounts passed between the old and the new values, summed over the changes")
    changes: list[Changed] = Field(min_length=1)


class Counselled(BaseModel):
    request_id: str
    model: str
    version: int
    bundle: str
    recorded: Literal[False] = Field(description="this is no decision: it has no id, and the log does not know of it")
    would_be: str = Field(description="keep, review or reduce: what /score would decide on the record as it stands")
    probability: float = Field(ge=0, le=1)
    counterfactual: Better | None = Field(
        description="the smallest change found, of a review the smallest to keep; null if there is none or none is needed"
    )
    explanation: str


class Scored(BaseModel):
    request_id: str
    model: str
    version: int = Field(description="the registry's number")
    bundle: str = Field(description="SHA-256 of the bundle's manifest: exactly what decided")
    fallback: str | None = Field(default=None, description="why the champion is stopped, if this bundle answered in its place")
    answers: list[Decided] = Field(description="in the order of the records")


class ReviewReason(StatedReason):
    contribution: float = Field(ge=0, description="log-odds, as of a decision; 0 of what the reviewer states")


class Reviewed(BaseModel):
    decision_id: str
    outcome: str | None = Field(default=None, description="keep or reduce; null while nobody has reviewed it")
    reviewer: str = ""
    reason_code: str = ""
    comment: str = ""
    statement: str = ""
    recorded_at: str = ""
    reasons: list[ReviewReason] | None = Field(
        default=None, max_length=MOST, description="of a reduction: what the reviewer states, then what the model finds"
    )
    no_notice: bool | None = Field(default=None, description="of a reduction: it is no adverse action, no notice is due")
    no_notice_basis: str | None = Field(default=None, description="the rule that says so")


class BrokenRule(BaseModel):
    record: int = Field(description="index in the batch, from 0")
    field: str
    value: str = Field(description="as it stood in the JSON, shortened; empty for a field that is not allowed")
    rule: str


class Problem(BaseModel):
    """RFC 9457, with what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    hint: str
    request_id: str
    errors: list[BrokenRule] = []


class Served(BaseModel):
    model: str
    version: int
    bundle: str
    sequence: int = Field(description="the number of the release channel's pointer")
    published_at: str
    contract_version: int
    fields: list[str]
    stale: bool = Field(
        description="the last look at the release channel did not confirm that this is in force; what was verified last answers"
    )

    rollout: "Tried | None" = Field(default=None, description="the challenger that is tried beside it")


class Tried(BaseModel):
    number: int = Field(description="of the document that began the roll-out")
    mode: str = Field(description="shadow: decides nothing; canary: decides for a share of the accounts")
    version: int
    bundle: str
    share: float = Field(description="of the accounts, that it scores or decides for")
    ends_at: str
    asked: bool = Field(description="false: it failed too often in a row, and this process asks it no more")


class Models(BaseModel):
    models: list[Served]


class Trouble(BaseModel):
    where: str
    problem: str
    hint: str


class Answering(BaseModel):
    """What proxies look at; nothing of why."""

    answering: bool


class Ready(BaseModel):
    """What is told to whoever may not read more."""

    ready: bool
    reason: str = Field(description="why no request can be answered; empty when ready")


class Readiness(Ready):
    process: int = Field(description="the worker that says so: each reads the release channel and writes the log by itself")
    hint: str
    models: list[Served]
    problems: list[Trouble] = Field(description="also what does not stop the answers, such as a refused release")


def served(model: LoadedModel, stale: AbstractSet[str], trials: Mapping[str, Trial]) -> Served:
    pointer = model.pointer
    trial = trials.get(pointer.model)
    return Served(
        model=pointer.model,
        version=pointer.version,
        bundle=pointer.bundle,
        sequence=pointer.sequence,
        published_at=pointer.published_at,
        contract_version=model.contract.version,
        fields=list(model.checker.record.model_fields),
        stale=pointer.model in stale,
        rollout=_tried(trial) if trial and trial.begun.pointer == pointer.sequence else None,
    )


def _tried(trial: Trial) -> Tried:
    begun = trial.begun
    return Tried(
        number=begun.number,
        mode=begun.mode,
        version=begun.challenger_version,
        bundle=begun.challenger,
        share=begun.share,
        ends_at=begun.ends_at,
        asked=trial.given_up is None,
    )


def problem(error: PlatformError, status: int, request_id: str) -> Problem:
    words = re.findall("[A-Z][a-z]+", type(error).__name__)
    details = error.details if isinstance(error, InputRefused) else ()
    return Problem(
        type=f"urn:steward:problem:{'-'.join(words).lower()}",
        title=" ".join(words).capitalize(),
        status=status,
        detail=_writable(error.problem),
        hint=error.hint,
        request_id=request_id,
        errors=[BrokenRule(**asdict(replace(detail, field=_writable(detail.field)))) for detail in details],
    )


def _writable(text: str) -> str:
    """A name out of somebody's JSON may hold half a character, which no answer can repeat."""
    return text.encode(errors="replace").decode()
