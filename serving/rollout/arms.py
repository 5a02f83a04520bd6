"""Deciding while a canary applies: each record by the bundle that its account was drawn to.

Whoever is drawn to the challenger, and finds it failing, is answered by the champion in the same request.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import perf_counter

from pydantic_core import to_json

from models.rollout import CANARY, CONTROL
from monitoring.decisions import Answered, Entry, LoggedDecision
from serving.answers.answer import response_of, told
from serving.answers.checking import Record
from serving.answers.deciding import Checked, Circumstances, Prepared, logged
from serving.answers.loaded import Judged, LoadedModel
from serving.rollout.trial import Trial

Sorted = Sequence[tuple[LoadedModel, Judged]]
"""By record: what decided about it, and how."""


def in_arms(trial: Trial, requests: Sequence[Checked], beside: Circumstances) -> Iterator[Prepared]:
    """As `together`, for requests to the champion of a canary. Raises `Integrity` if the champion's graph fails."""
    key = requests[0].model.contract.key
    drawn = [[trial.begun.arm(beside.hide(record[key])) for record in request.records] for request in requests]
    for request, arms, found in zip(requests, drawn, _sorted(trial, requests, drawn, beside), strict=True):
        token = beside.new_id()
        named = [(f"{token}-{number}", *each) for number, each in enumerate(found)]
        decisions = [_logged(trial, request, *each, beside) for each in zip(named, request.records, arms, strict=True)]
        response = _response(request, named)
        answered = request.ask.key
        yield Prepared(response, Entry(decisions, Answered(answered, request.ask.digest, response) if answered else None))


def _sorted(trial: Trial, requests: Sequence[Checked], drawn: Sequence[Sequence[str]], beside: Circumstances) -> Iterator[Sorted]:
    """The challenger first: what it fails at is among what the champion then decides, all at once."""
    champion = requests[0].model
    began = perf_counter()
    canaries = [_of(CANARY, request.records, arms) for request, arms in zip(requests, drawn, strict=True)]
    tried = trial.tried(canaries, beside.now)
    between = perf_counter()
    rest = [
        record
        for request, arms, found in zip(requests, drawn, tried, strict=True)
        for record, arm in zip(request.records, arms, strict=True)
        if arm == CONTROL or found is None
    ]
    others = iter(champion.judged(rest)) if rest else iter(())
    trial.count(CANARY, sum(map(len, canaries)), between - began)
    trial.count(CONTROL, sum(map(len, drawn)) - sum(map(len, canaries)), perf_counter() - between)
    for arms, found in zip(drawn, tried, strict=True):
        own = iter(found or ())
        yield [(champion, next(others)) if arm == CONTROL or found is None else (trial.challenger, next(own)) for arm in arms]


def _of(arm: str, records: Sequence[Record], arms: Sequence[str]) -> list[Record]:
    return [record for record, drawn in zip(records, arms, strict=True) if drawn == arm]


def _logged(
    trial: Trial,
    request: Checked,
    named: tuple[str, LoadedModel, Judged],
    record: Record,
    arm: str,
    beside: Circumstances,
) -> LoggedDecision:
    decision_id, model, found = named
    return replace(logged(replace(request, model=model), decision_id, found, record, beside), arm=arm, rollout=trial.begun.number)


def _response(request: Checked, named: Sequence[tuple[str, LoadedModel, Judged]]) -> bytes:
    """The head names what decided; in a request of several accounts it is the champion, and whatever else decided is named with
    its answer."""
    models = {id(model): model for _, model, _ in named}
    if len(models) <= 1:
        head = next(iter(models.values()), request.model)
        return response_of(head, [(decision_id, found) for decision_id, _, found in named], request.ask.request_id)
    pointer = request.model.pointer
    head_of = {
        "request_id": request.ask.request_id,
        "model": pointer.model,
        "version": pointer.version,
        "bundle": pointer.bundle,
    }
    return to_json(head_of | {"answers": [_told(request.model, *each) for each in named]})


def _told(head: LoadedModel, decision_id: str, model: LoadedModel, found: Judged) -> dict[str, object]:
    own = {} if model is head else {"version": model.pointer.version, "bundle": model.pointer.bundle}
    return told(decision_id, found) | own
