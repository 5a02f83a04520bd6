"""Deciding: from checked requests to what may be answered once it is in the log. Several requests share one run of the graph.

Nothing is recorded here, and nothing read but the arguments.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from models.clock import Month
from monitoring.decisions import Answered, Entry, LoggedDecision
from serving.answers.answer import Ask, response_of
from serving.answers.checking import Record
from serving.answers.loaded import Judged, LoadedModel

_month = lru_cache(maxsize=1_024)(Month.parse)


@dataclass(frozen=True)
class Prepared:
    """An answer that may leave when its entry is in the log."""

    response: bytes
    entry: Entry


@dataclass(frozen=True)
class Checked:
    """A request whose records the model's contract accepts."""

    model: LoadedModel
    ask: Ask
    records: Sequence[Record]


@dataclass(frozen=True)
class Circumstances:
    """What a decision depends on beside model and record. `hide` turns an account's id into its pseudonym: no id is recorded."""

    now: datetime
    hide: Callable[[str], str]
    new_id: Callable[[], str]


def together(requests: Sequence[Checked], beside: Circumstances) -> Iterator[Prepared]:
    """Requests to one model, in their order. Raises `Integrity` if the graph gives anything but a probability for any of them."""
    model = requests[0].model
    judged = iter(model.judged([record for request in requests for record in request.records]))
    for request in requests:
        token = beside.new_id()
        named = [(f"{token}-{number}", found) for number, found in zip(range(len(request.records)), judged, strict=False)]
        decisions = [logged(request, *each, record, beside) for each, record in zip(named, request.records, strict=True)]
        response = response_of(model, named, request.ask.request_id)
        key = request.ask.key
        yield Prepared(response, Entry(decisions, Answered(key, request.ask.digest, response) if key else None))


def logged(request: Checked, decision_id: str, found: Judged, record: Record, beside: Circumstances) -> LoggedDecision:
    pointer, contract = request.model.pointer, request.model.contract
    return LoggedDecision(
        decision_id=decision_id,
        model=pointer.model,
        version=pointer.version,
        bundle=pointer.bundle,
        account_id=beside.hide(record[contract.key]),
        month=_month(record[contract.time]),
        inputs={name: record[name] for name in contract.inputs},
        probability=found.probability,
        action=found.action,
        recorded_at=beside.now,
        request_id=request.ask.request_id,
        no_notice=found.why.no_notice,
        reasons=found.why.reasons,
        fallback=request.model.fallback,
        out_of_distribution=found.out_of_distribution,
    )
