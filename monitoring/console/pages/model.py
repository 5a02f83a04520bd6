"""What stands on a model's page: its months, versions, champions and ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import NotFound
from models.governance.ledger import Entry
from monitoring.console.pages.releases import Release, releases
from monitoring.console.pages.today import Card, card, known
from monitoring.console.sources import Sources, Trouble, or_trouble
from monitoring.packs import Version, versions
from monitoring.report import MonthRow


@dataclass(frozen=True)
class ModelPage:
    card: Card
    rows: Sequence[MonthRow]  # newest first
    versions: Sequence[Version] | Trouble  # newest first
    releases: Sequence[Release] | Trouble
    entries: Sequence[Entry] | Trouble  # newest first


def model_page(sources: Sources, model: str) -> ModelPage:
    """Raises `NotFound` for a model of which nothing is known."""
    if model not in known(sources):
        raise NotFound(f"nothing is known here of a model {model!r}", hint="open the overview; `make train` brings a model")
    about = card(sources, model)
    released = or_trouble(lambda: releases(sources, model))
    entries = or_trouble(lambda: list(reversed(sources.ledger.entries(model))))
    registered = or_trouble(lambda: versions(sources.ledger.entries(model), sources.packs, model))
    return ModelPage(about, list(reversed(about.months)), registered, released, entries)
