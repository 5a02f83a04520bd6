"""What a person decided about an account that was sent to review: taken once, read again as often as asked.

A reduction is an adverse action whoever decides it, and its notice names why it was made: what the reviewer states, then
what the model finds, if its score alone would have reduced the account too. Where the model would not, its reasons would not
be why, so the reviewer must state one. A notice is due unless the reviewer says that the account's own delinquency or
inactivity is the cause, and the policy's rules for that hold: they excuse only what is done because of it
(12 CFR 1002.2(c)(2)(ii)).
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.clock import Clock
from models.errors import Detail, InputRefused, NotFound, Unavailable
from models.governance.api_keys import Action as DoorAction
from models.governance.explanation.reasons import MOST, UNEXPLAINED, Explanation, Reason
from models.governance.explanation.statements import EXAMPLES, objection
from models.policy import Action
from monitoring.decisions import DecisionLog, LoggedDecision, Review
from serving.door.holders import ANYBODY, Holder
from serving.protocols.documents import Reviewed, ReviewReason

Found = TypeVar("Found")

LONGEST = 1_000
"""Characters of a comment or a statement, at most."""
PERSON = "a person's review"
"""The group of a reason that a reviewer states."""
_SHOWN = "outcome"  # the one field whose refused value is shown: others may hold whatever somebody typed
_WORD = re.compile(r"[^\W_](?:[\w-]*\w)?")


class Reviewing(BaseModel):
    """The body of a review. Its text is the reviewer's own and is shown to colleagues: no customer data belong in it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    outcome: str = Field(pattern=f"^({Action.KEEP}|{Action.REDUCE})$", description="keep or reduce", examples=["keep"])
    reviewer: str = Field(pattern=r"^[A-Za-z0-9._@-]{1,64}$", description="who decided", examples=["r.lin"])
    reason_code: str = Field(
        pattern=r"^[A-Z][A-Z0-9_]{0,31}$", description="why, by the bank's own list", examples=["INCOME_CONFIRMED"]
    )
    comment: str = Field(default="", max_length=LONGEST, description="what a colleague needs to know")
    statement: str = Field(
        default="",
        max_length=LONGEST,
        description="of a reduction: the principal reason in words, as the notice shall say it; required unless the score alone"
        " would have reduced the account",
        examples=["Unable to verify income"],
    )
    own_delinquency: bool = Field(
        default=False,
        description="of a reduction: this account's own delinquency or inactivity is the cause, and nothing else, so no notice is"
        " due; refused where the policy's rules for that do not hold",
    )


_BODY = TypeAdapter(Reviewing)
_STATED = Detail(0, "statement", "", "the principal reason, as the customer shall read it")


class Reviews:
    """Safe for several threads. `names` gives every pseudonym of an id, `explain` the reasons of a past decision."""

    def __init__(
        self,
        log: DecisionLog,
        clock: Clock,
        names: Callable[[str], Sequence[str]],
        explain: Callable[[LoggedDecision], Explanation],
        waiting: Callable[[], bool] = lambda: False,
    ) -> None:
        """`waiting`: whether decisions were answered that are not in the log yet."""
        self._log = log
        self._clock = clock
        self._names = names
        self._explain = explain
        self._waiting = waiting

    def take(self, decision_id: str, body: bytes, holder: Holder = ANYBODY) -> Reviewed:
        """Record it, or find it recorded; durable when it returns.

        Raises `InputRefused`, `NotPermitted`, `NotFound`, `Conflict`, `Expired`, `Integrity` or `Unavailable`.
        """
        said = _read(body)
        holder.permit_reviewer(said.reviewer)
        decision = self._decision(decision_id, holder)
        review = _review(decision_id, said, self._clock.now())
        if (kept := review.after(decision, self._log.reviewed(decision_id))) is not review:
            return _document(kept)
        self._refuse_the_account(said, decision)
        why = self._explain(decision) if said.outcome == Action.REDUCE else UNEXPLAINED
        kept = self._log.review(replace(review, no_notice=_excused(said, why), reasons=_reasons(said, why)))
        return _document(kept)

    def find(self, decision_id: str, holder: Holder = ANYBODY) -> Reviewed:
        """The decision's review; an outcome of null while there is none. Raises `NotFound` for an unknown decision."""
        if holder.key:
            self._decision(decision_id, holder)
        found = self._looked_up(decision_id, self._log.reviewed)
        return _document(found) if found else Reviewed(decision_id=decision_id)

    def _looked_up(self, decision_id: str, look: Callable[[str], Found]) -> Found:
        waiting = self._waiting()  # before the look: what was on its way then may have arrived since
        try:
            return look(decision_id)
        except NotFound as error:
            if not waiting:
                raise
            raise Unavailable(
                f"decision {decision_id!r} is not in the log; some that were answered are still on their way there",
                hint="try again; /health/ready says how many wait",
            ) from error

    def _decision(self, decision_id: str, holder: Holder) -> LoggedDecision:
        """Raises `NotFound` also if the holder's key is not for the decision's model: whether there is one is not theirs."""
        decision = self._looked_up(decision_id, self._log.find)
        if not holder.covers(decision.model, DoorAction.REVIEW):
            raise NotFound(f"there is no decision {decision_id!r}", hint="decision ids are part of every answer")
        return decision

    def _refuse_the_account(self, said: Reviewing, decision: LoggedDecision) -> None:
        """No id is recorded: a text that names this account is refused, and not repeated."""
        for field, text in said.model_dump(exclude={"own_delinquency"}).items():
            if any(decision.account_id in self._names(word) for word in _words(text)):
                raise InputRefused(
                    f"{field} names the account",
                    [Detail(0, field, "", "no account number")],
                    hint="nothing was recorded; the decision's id says whose review it is: leave the number out",
                )


def _words(text: str) -> Iterator[str]:
    """What an id may look like in a text: words, neighbours written apart, in any case of letters."""
    words = _WORD.findall(text)
    for word in dict.fromkeys([*words, *("".join(pair) for pair in pairwise(words)), *text.split()]):
        yield from dict.fromkeys([word, word.upper(), word.lower()])


def _review(decision_id: str, said: Reviewing, now: datetime) -> Review:
    """As it was sent. That the reviewer names the account's own delinquency is kept by the rule that excuses it: `no_notice`."""
    claimed, written = "own delinquency" if said.own_delinquency else "", said.model_dump(exclude={"own_delinquency"})
    return Review(recorded_at=now, decision_id=decision_id, no_notice=claimed, **written)


def _excused(said: Reviewing, why: Explanation) -> str:
    """The rule by which no notice is due, "" if one is. Raises `InputRefused` if the reviewer claims what does not hold."""
    if not said.own_delinquency:
        return ""
    if said.outcome != Action.REDUCE:
        raise _no_excuse("only a reduction can be excused from its notice", "leave it out")
    if _states_a_reason(said):
        raise _no_excuse("a reduction for a stated reason needs its notice", "send the statement or own_delinquency, not both")
    if not why.no_notice:
        raise _no_excuse(
            "this account was neither behind nor inactive in the month decided, by the policy's rules", "send a statement instead"
        )
    return why.no_notice


def _no_excuse(why: str, instead: str) -> InputRefused:
    rule = "true only if this account's own delinquency or inactivity is the one cause of a reduction"
    return InputRefused(
        f"own_delinquency is refused: {why}", [Detail(0, "own_delinquency", "", rule)], hint=f"nothing was recorded; {instead}"
    )


def _states_a_reason(said: Reviewing) -> bool:
    return bool(said.statement.strip())


def _own(said: Reviewing) -> tuple[Reason, ...]:
    """The reviewer's own reason, if there is one. Raises `InputRefused` if it tells the customer nothing."""
    if not _states_a_reason(said):
        return ()
    if why := objection(said.statement):
        raise InputRefused(
            f"statement {why}",
            [_STATED],
            hint=f"nothing was recorded; name what about the account or the customer led to it, for example {EXAMPLES}",
        )
    return (Reason(said.reason_code, PERSON, said.statement, 0.0, confirmed=False),)


def _reasons(said: Reviewing, why: Explanation) -> tuple[Reason, ...]:
    """At most `MOST`, the reviewer's first. Raises `InputRefused` if a notice is due and there is nothing to say in it."""
    if said.outcome != Action.REDUCE:
        return ()
    reasons = (*_own(said), *why.reasons)[:MOST]
    if not reasons and not said.own_delinquency:
        raise InputRefused(
            "a reduction needs a reason for its notice, and the score alone would not have reduced this account",
            [_STATED],
            hint=f"nothing was recorded; send it again with `statement`, for example {EXAMPLES}",
        )
    return reasons


def _read(body: bytes) -> Reviewing:
    try:
        return _BODY.validate_json(body)
    except ValidationError as error:
        details = [_detail(".".join(map(str, each["loc"])), each["input"], each["msg"]) for each in error.errors()]
        first = details[0]
        raise InputRefused(
            f"{first.field or 'the body'} is refused: {first.rule}",
            details,
            hint='nothing was recorded; send {"outcome": ..., "reviewer": ..., "reason_code": ..., "comment": ...}',
        ) from None


def _detail(field: str, value: object, rule: str) -> Detail:
    return Detail(0, field, json.dumps(value, default=str)[:80] if field == _SHOWN else "", rule)


def _document(found: Review) -> Reviewed:
    reduced = found.outcome == Action.REDUCE
    return Reviewed(
        decision_id=found.decision_id,
        outcome=found.outcome,
        reviewer=found.reviewer,
        reason_code=found.reason_code,
        comment=found.comment,
        statement=found.statement,
        recorded_at=found.recorded_at.isoformat(),
        reasons=[ReviewReason(**each.to_dict()) for each in found.reasons] if reduced else None,
        no_notice=bool(found.no_notice) if reduced else None,
        no_notice_basis=found.no_notice or None,
    )
