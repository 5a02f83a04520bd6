"""What would have had to be different: the answer to a client who asks about one account.

Nothing is decided or recorded, and the answer says so: `would_be` instead of a decision, no decision id, `recorded` false.
An account that a person would look at is helped, too: what the person decides may be a reduction.
"""

import json
from typing import Any

from models.clock import Month
from models.contract import Contract
from models.errors import InputRefused
from models.governance.explanation.counterfactual import Change, Counterfactual
from models.policy import Action
from serving.answers.answer import Ask
from serving.answers.checking import Record, refuse_the_future
from serving.answers.loaded import Judged, LoadedModel


def counterfactual(model: LoadedModel, ask: Ask, this_month: Month) -> bytes:
    """The response. Raises `InputRefused` for a record that would not be scored, or for more than one: each costs a search."""
    records = model.checker.records(ask.body)
    if len(records) != 1:
        raise InputRefused(f"{len(records)} records were sent", hint="ask about one account at a time")
    refuse_the_future(records, model.contract.time, this_month)
    return json.dumps(counselled(model, records[0], ask.request_id), separators=(",", ":"), allow_nan=False).encode()


def counselled(model: LoadedModel, record: Record, request_id: str) -> dict[str, Any]:
    """The body of the response for a record that was checked."""
    [judged], pointer = model.judged([record]), model.pointer
    action = Action(judged.action)
    found = None if action is Action.KEEP else model.counsel.better(model.packed([record])[0], than=action)
    return {
        "request_id": request_id,
        "model": pointer.model,
        "version": pointer.version,
        "bundle": pointer.bundle,
        "recorded": False,
        "would_be": action,
        "probability": judged.probability,
        "counterfactual": _told(model.contract, found) if found else None,
        "explanation": _sentence(model, judged, found),
    }


def _told(contract: Contract, found: Counterfactual) -> dict[str, Any]:
    return {
        "would_be": found.action,
        "probability": found.probability,
        "way": round(found.way, 6),
        "changes": [_change(contract, change) for change in found.changes],
    }


def _change(contract: Contract, change: Change) -> dict[str, Any]:
    column = contract[change.column]
    number = int if column.kind == "integer" else float
    return {
        "field": column.name,
        "meaning": column.meaning,
        "unit": column.unit,
        "from": number(change.before),
        "to": number(change.after),
    }


def _sentence(model: LoadedModel, judged: Judged, found: Counterfactual | None) -> str:
    if judged.action == Action.KEEP:
        return "It would be keep: nothing has to change."
    reviewed = judged.action == Action.REVIEW
    first = f"It would be review: a person decides{_because(judged)}. " if reviewed else ""
    if found is None:
        names = ", ".join(each.column for each in model.counsel.mutable)
        better = "keep without a person" if reviewed else "a better decision"
        return f"{first}No change of {names}, within the bounds of what a customer can do by the next review, leads to {better}."
    without = ", without a person" if reviewed else ""
    return (
        f"{first}With these values it would have been {found.action}{without}. What comes next is decided on what is known then."
    )


def _because(judged: Judged) -> str:
    odd = ", ".join(judged.out_of_distribution)
    return f", because of {odd}, unlike any that the model was made from" if odd else ""
