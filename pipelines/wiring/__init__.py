"""The one place that chooses adapters for the pipelines. What is heavy is imported when it is first wanted.

`Platform` is put together from its parts: `foundation` (settings, use case, time), `releasing` (ledger, channel, keys, registry,
evidence), `data` (lake, restricted lake, accounts), `making` (what trains and draws), `watching` (decisions, reports),
`verifying` (the checks of `make verify`) and `scaling` (work at size).
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import NotFound
from models.settings import of_own as of_own
from models.usecase import Source
from pipelines.adapters.checkout import origin
from pipelines.adapters.prefect_server import Api, prefect_api
from pipelines.replay.story import ReplayResult
from pipelines.settings import PipelineSettings
from pipelines.stopwatch import Part
from pipelines.wiring.making import ROOT, Making
from pipelines.wiring.scaling import Scaling
from pipelines.wiring.verifying import Verifying

if TYPE_CHECKING:
    from pipelines.adapters.service_process import ServiceProcess


class Platform(Making, Verifying, Scaling):
    """Every port that a flow may need, for one use case, built from settings on first use."""

    def warm(self) -> None:
        """Import what a training run will need: it takes seconds, which the flow engine's API needs to start anyway."""
        with self.watch.step("import the model's tools", Part.MODEL):
            _ = self.families, self.optimiser, self.workshop
        with self.watch.step("import the validation", Part.VALIDATION):
            from pipelines.adapters.expectations import GreatExpectations

            GreatExpectations(self.settings.data_docs_folder.parent, self.clock).prepare()
        with self.watch.step("import the tracking", Part.TRACKING):
            _ = self.registry


def platform(*, source: Source | None = None, **overrides: object) -> Platform:
    """The platform that the environment describes; `overrides` are settings by name, None and "" left alone.

    `source` takes the place of the use case's own: a drill's.
    """
    given = {name: value for name, value in overrides.items() if value not in (None, "")}
    return Platform(PipelineSettings.read(**given), source)


def ensure_home() -> None:
    """A slip of the pen would be answered as if nothing had ever happened. Raises `NotFound`."""
    home = PipelineSettings.read().home
    if not home.is_dir():
        hint = "set STEWARD_HOME or SCENARIO to what there is; a new one begins: make train"
        raise NotFound(f"there is no home {home}", hint=hint)


def orchestrator(settings: PipelineSettings, *, ui: bool = False) -> AbstractContextManager[Api]:
    """Prefect's API for this home; enter it before the flows are imported."""
    return prefect_api(settings.home, port=settings.prefect_port if ui else 0, ui=ui)


def scoring_service(parts: Platform, environment: Mapping[str, str]) -> "ServiceProcess":
    """The real service, as a process of its own that reads this home's channel."""
    from pipelines.adapters.service_process import ServiceProcess

    return ServiceProcess(parts.use_case.name, environment, parts.settings.home / "serving.log")


def commit() -> str:
    """The checkout that this runs from; "" if it is none."""
    return origin(ROOT).git_commit


def publish_replay(result: ReplayResult, folder: Path) -> Path:
    """Write the replay's page with its pictures and figures; returns the page."""
    from models.adapters import durable
    from pipelines.adapters.replay_page import PAGE, files

    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files(result).items():
        durable.replace(folder / name, data)
    return folder / PAGE
