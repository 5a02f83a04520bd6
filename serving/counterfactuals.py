"""What would have had to be different: the answer to a client who asks about one account.

Nothing is decided or recorded, and the answer says so: `would_be` instead of a decision, no decision id, `recorded` false.
"""

import json
from typing import Any

from models.clock import Month
from models.contract import Contract
from models.errors import InputRefused
from models.governance.explanation.counterfactual import Change, Counterfactual
from models.policy import Action
from serving.answers import Ask
from serving.checking import Record, refuse_the_future
from serving.loaded import LoadedModel


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
    action = judged.action
    found = model.counsel.better(model.packed([record])[0]) if action == Action.REDUCE else None
    return {
        "request_id": request_id,
        "model": pointer.model,
        "version": pointer.version,
        "bundle": pointer.bundle,
        "recorded": False,
        "would_be": action,
        "probability": judged.probability,
        "counterfactual": _told(model.contract, found) if found else None,
        "explanation": _sentence(model, action, found),
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


def _sentence(model: LoadedModel, action: str, found: Counterfactual | None) -> str:
    if action != Action.REDUCE:
        return f"It would be {action}: nothing has to change."
    if found is None:
        names = ", ".join(each.column for each in model.counsel.mutable)
        return (
            f"No change of {names}, within the bounds of what a customer can do by the next review, leads to a better decision."
        )
    return f"With these values it would have been {found.action}. What comes next is decided on what is known then."
