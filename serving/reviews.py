"""What a person decided about an account that was sent to review: taken once, read again as often as asked."""

import json

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.errors import Detail, InputRefused
from models.policy import Action
from monitoring.decisions import Review
from serving.documents import Reviewed
from serving.prediction import Predictor

LONGEST = 1_000
"""Characters of a comment, at most."""


class Reviewing(BaseModel):
    """The body of a review. Its text is the reviewer's own and is shown to colleagues: no customer data belong in it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    outcome: str = Field(pattern=f"^({Action.KEEP}|{Action.REDUCE})$", description="keep or reduce", examples=["keep"])
    reviewer: str = Field(pattern=r"^[A-Za-z0-9._@-]{1,64}$", description="who decided", examples=["r.lin"])
    reason_code: str = Field(
        pattern=r"^[A-Z][A-Z0-9_]{0,31}$", description="why, by the bank's own list", examples=["INCOME_CONFIRMED"]
    )
    comment: str = Field(default="", max_length=LONGEST, description="what a colleague needs to know")


_BODY = TypeAdapter(Reviewing)


def review(predictor: Predictor, decision_id: str, body: bytes) -> Reviewed:
    """Record it, or find it recorded. Raises `InputRefused`, `NotFound`, `Conflict` or `Unavailable`."""
    return _document(predictor.review(decision_id, **_read(body).model_dump()))


def reviewed(predictor: Predictor, decision_id: str) -> Reviewed:
    """The decision's review; an outcome of null while there is none. Raises `NotFound` for an unknown decision."""
    found = predictor.reviewed(decision_id)
    return _document(found) if found else Reviewed(decision_id=decision_id)


def _read(body: bytes) -> Reviewing:
    try:
        return _BODY.validate_json(body)
    except ValidationError as error:
        details = [
            Detail(0, ".".join(map(str, each["loc"])), json.dumps(each["input"], default=str)[:80], each["msg"])
            for each in error.errors()
        ]
        first = details[0]
        raise InputRefused(
            f"{first.field or 'the body'} is refused: {first.rule}",
            details,
            hint='nothing was recorded; send {"outcome": ..., "reviewer": ..., "reason_code": ..., "comment": ...}',
        ) from None


def _document(found: Review) -> Reviewed:
    return Reviewed(**vars(found) | {"recorded_at": found.recorded_at.isoformat()})
