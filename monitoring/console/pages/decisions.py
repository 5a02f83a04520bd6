"""What stands on the page of one decision, and what a search for an account finds."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from models.bundle import Bundle
from models.errors import NotFound, PlatformError
from models.governance.attestation import attested
from monitoring.console.pages.today import known
from monitoring.console.sources import Sources, Trouble, or_trouble
from monitoring.decisions import LoggedDecision
from monitoring.differences import Difference
from monitoring.redecision import Past, Published, edit, ensure_same, find, redecide

FOUND_SHOWN = 200


@dataclass(frozen=True)
class Given:
    """An input as it was sent: with what it means, if the bundle is there to say."""

    name: str
    value: float | int
    meaning: str
    unit: str
    said: str = ""  # what a code stands for


@dataclass(frozen=True)
class DecisionPage:
    past: Past
    inputs: Sequence[Given]


@dataclass(frozen=True)
class Again:
    """A decision made again: what differs, and `problem`, why its record cannot count; both empty if all is the same."""

    differences: Sequence[Difference]
    problem: str
    hint: str

    @property
    def same(self) -> bool:
        return not self.differences and not self.problem


def on_account(sources: Sources, model: str, account: str) -> Sequence[LoggedDecision]:
    """Newest first. The id is hidden before anything is looked for. Raises `NotFound` for a model nobody knows."""
    if model not in known(sources):
        raise NotFound(f"nothing is known here of a model {model!r}", hint="choose a model of the list")
    return sources.decisions().of_account(model, sources.accounts().known_as(account))[::-1][:FOUND_SHOWN]


def decision_page(sources: Sources, decision_id: str) -> DecisionPage:
    """Raises `NotFound`."""
    past = _past(sources, decision_id)
    bundle = or_trouble(lambda: _bundle(sources, past.decision))
    return DecisionPage(past, [_given(name, value, bundle) for name, value in past.decision.inputs.items()])


def again(sources: Sources, past: Past) -> Again:
    """The same steps as `make replay-decision`. Raises `Integrity` if the ledger is not what its witness signed."""
    entries = attested(sources.ledger, sources.trust)
    problem, found = edit(sources.decisions(), entries, sources.chain_keys, past), []
    if problem:
        with suppress(PlatformError):  # what an edited record leads to may be anything
            found = _differences(sources, past.decision)
    else:
        found = _differences(sources, past.decision)
    try:
        ensure_same(past, problem, found, entries)
    except PlatformError as error:
        return Again(found, error.problem, error.hint)
    return Again(found, "", "")


def _differences(sources: Sources, decision: LoggedDecision) -> list[Difference]:
    published = Published.of(sources.channel, sources.trust(), decision.model, decision.bundle)
    return redecide(decision, _bundle(sources, decision), sources.scorer, published)


def _bundle(sources: Sources, decision: LoggedDecision) -> Bundle:
    return Bundle.verified(sources.channel.bundle(decision.bundle), decision.bundle)


def _past(sources: Sources, decision_id: str) -> Past:
    """From the log, or from the sealed months of any model."""
    missing: NotFound | None = None
    for model in known(sources):
        try:
            return find(sources.decisions(), sources.lake(model), decision_id)
        except NotFound as error:
            missing = error
    raise missing or NotFound(f"there is no decision {decision_id!r}", hint="nothing was ever decided here")


def _given(name: str, value: float, bundle: Bundle | Trouble) -> Given:
    if isinstance(bundle, Trouble) or name not in bundle.contract.inputs:
        return Given(name, value, "", "")
    column = bundle.contract[name]
    return Given(name, value, column.meaning, column.unit, column.codes.get(int(value), "") if column.codes else "")
