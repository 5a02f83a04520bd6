"""What works on more rows than one process holds: the generator of account-months, and batch scoring on one of two engines."""

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
from pipelines.scoring.parts import Engine, File
from pipelines.scoring.run import Desk
from pipelines.wiring.watching import Watching

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


class Scaling(Watching):
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

    @cached_property
    def engine(self) -> Engine:
        """Raises `Misconfigured` if it is Spark, and Spark or Java is not there."""
        if self.settings.engine == "spark":
            from pipelines.adapters.spark_engine import SparkEngine

            return SparkEngine(self.spark)
        from pipelines.adapters.local_engine import LocalEngine

        return LocalEngine(self.settings.workers, self.settings.home / "spill")

    def files_at(self, source: str) -> list[File]:
        """What lies at a path."""
        from pipelines.adapters.parquet_tables import files

        return files(source)

    @cached_property
    def batch_desk(self) -> Desk:
        from models.adapters.onnx_runtime import OnnxScorer
        from pipelines.adapters.batch_folder import BatchFolder

        home = self.settings.home
        return Desk(
            channel=self.channel,
            trust=self.trust,
            entries=self.ledger.entries,
            log=self.decisions,
            clock=self.clock,
            hide=self.accounts.lifted,
            engine=self.engine,
            runs=BatchFolder(home / "scoring", home / "restricted" / "quarantine"),
            make_scorer=OnnxScorer,
        )
