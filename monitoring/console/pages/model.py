"""What stands on a model's page: its months, versions, champions and ledger."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.errors import NotFound
from models.governance.fairness.figures import Kind
from models.governance.ledger import Entry
from monitoring.console.pages.releases import Release, releases
from monitoring.console.pages.today import Card, card, known
from monitoring.console.sources import Sources, Trouble, or_trouble
from monitoring.packs import Version, opened, versions
from monitoring.report import MonthRow

FAIRNESS_FILE = "fairness.json"
ENTRIES_SHOWN = 200


@dataclass(frozen=True)
class Fairness:
    """What the evidence pack of a version says, without any group: those are for who reads the pack.

    `ratio` is the worst adverse impact ratio of all groups, None where none could be computed.
    """

    verdict: str
    month: str
    ratio: float | None


@dataclass(frozen=True)
class ModelPage:
    card: Card
    rows: Sequence[MonthRow]  # newest first
    versions: Sequence[Version] | Trouble  # newest first
    releases: Sequence[Release] | Trouble
    entries: Sequence[Entry] | Trouble  # newest first, as many as a page can hold
    earlier: int  # entries that are not shown
    fairness: Mapping[int, Fairness]  # by version, of those with an evidence pack


def model_page(sources: Sources, model: str) -> ModelPage:
    """Raises `NotFound` for a model of which nothing is known."""
    if model not in known(sources):
        raise NotFound(f"nothing is known here of a model {model!r}", hint="open the overview; `make train` brings a model")
    about = card(sources, model)
    released = or_trouble(lambda: releases(sources, model))
    found = or_trouble(lambda: sources.ledger.entries(model)[::-1])
    entries, earlier = (found, 0) if isinstance(found, Trouble) else (found[:ENTRIES_SHOWN], max(len(found) - ENTRIES_SHOWN, 0))
    registered = or_trouble(lambda: versions(sources.ledger.entries(model), sources.packs, model))
    return ModelPage(
        about, list(reversed(about.months)), registered, released, entries, earlier, _fairness(sources, model, registered)
    )


def _fairness(sources: Sources, model: str, registered: Sequence[Version] | Trouble) -> dict[int, Fairness]:
    """Of packs that are as they were sealed; the page of a pack says what is wrong with another."""
    packed = [] if isinstance(registered, Trouble) else [version for version in registered if version.pack]
    found = {version.number: or_trouble(lambda version=version: _judged(sources, model, version)) for version in packed}  # type: ignore[misc]
    return {number: each for number, each in found.items() if isinstance(each, Fairness)}


def _judged(sources: Sources, model: str, version: Version) -> Fairness | None:
    files = opened(sources.packs, model, version)
    if FAIRNESS_FILE not in files:
        return None
    told = json.loads(files[FAIRNESS_FILE])
    ratios = [each["value"] for each in told["figures"] if each["kind"] == Kind.IMPACT_RATIO and each["value"] is not None]
    return Fairness(told["verdict"], told["month"], min(ratios, default=None))
