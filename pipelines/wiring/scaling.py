"""What works on more rows than one process holds: the generator of account-months."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from models.clock import Month
from models.errors import NotFound
from pipelines.generation import credit_cards
from pipelines.generation.fidelity import Fidelity, fidelity
from pipelines.generation.panel import Panel, Recipe
from pipelines.progress import Progress
from pipelines.wiring.foundation import Foundation

if TYPE_CHECKING:
    from pipelines.adapters.generated_parts import Written


@dataclass(frozen=True)
class Generator:
    """Account-months drawn from a panel, written by several processes."""

    panel: Panel
    progress: Progress

    def recipe(self, rows: int, months: Sequence[Month], seed: int, jitter: float | None) -> Recipe:
        return Recipe.of(self.panel, rows, months, seed, credit_cards.JITTER if jitter is None else jitter)

    def write(self, recipe: Recipe, place: str, processes: int) -> "Written":
        from pipelines.adapters.generated_parts import write

        return write(self.panel, recipe, place, processes, lambda done, total: self.progress.count("generated", done, total))

    def fidelity(self, recipe: Recipe) -> Fidelity:
        from models.adapters.gradient_boosting import GradientBoosting
        from models.catalog import find

        return fidelity(self.panel, recipe, find(credit_cards.USE_CASE), GradientBoosting())


class Scaling(Foundation):
    """Work at size."""

    @cached_property
    def generator(self) -> Generator:
        """Raises `NotFound` for a use case whose panel the generator does not know."""
        if self.use_case.name != credit_cards.USE_CASE:
            raise NotFound(
                f"no generator knows the panel of {self.use_case.name}",
                hint="say what moves and what does not, as pipelines/generation/credit_cards.py does",
            )
        return Generator(credit_cards.panel(), self.progress)
