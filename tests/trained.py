"""A model trained by the real tools, in homes that tests copy: the training takes seconds, a copy does not."""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from monitoring.telemetry.context import working
from pipelines import steps
from pipelines.development import Development
from pipelines.retraining import asked_for
from pipelines.settings import PipelineSettings
from pipelines.steps import Ending, Kind
from pipelines.wiring import Platform
from tests.fakes.source import SomeAccounts

AUGUST = date(2005, 8, 31)
STEP = 5  # every fifth account


def platform_at(home: Path) -> Platform:
    """The real tools on every fifth account of the real panel, with a search that is over soon."""
    return Platform(PipelineSettings(home=home, trials=2, folds=2), source=SomeAccounts(step=STEP))


def where_people_approve(home: Path) -> Platform:
    parts = platform_at(home)
    parts.office = replace(parts.office, demonstration=None)
    return parts


RUN = "0190-a-run"
"""The id under which it was all made."""


@dataclass(frozen=True)
class Trained:
    """One model as of August, in two homes: in force in one, waiting for people in the other. To be copied, not changed."""

    in_force: Path
    waiting: Path
    promoted: Ending
    held: Ending

    @classmethod
    def read(cls, folder: Path) -> "Trained":
        promoted, held = (
            Ending(**{**ending, "kind": Kind(ending["kind"])}) for ending in json.loads((folder / "endings.json").read_text())
        )
        return cls(folder / "in_force", folder / "waiting", promoted, held)


def searched(parts: Platform) -> Development:
    return steps.search(parts, steps.open_cohorts(parts, AUGUST))


def released(parts: Platform, development: Development) -> Ending:
    cohorts = steps.open_cohorts(parts, AUGUST)
    assessment = steps.judge(parts, cohorts, development)
    evidence = steps.document(parts, cohorts, development, assessment)
    return steps.release(parts, cohorts, development, assessment, evidence, asked_for("A test"))


def train_into(folder: Path) -> None:
    with working("run_id", RUN):
        _train_into(folder)


def _train_into(folder: Path) -> None:
    parts = platform_at(folder / "in_force")
    steps.take_in(parts, AUGUST)
    cohorts = steps.open_cohorts(parts, AUGUST)
    development = searched(parts)
    assessment = steps.judge(parts, cohorts, development)
    evidence = steps.document(parts, cohorts, development, assessment)
    undecided = where_people_approve(shutil.copytree(folder / "in_force", folder / "waiting"))
    endings = [
        asdict(steps.release(to, cohorts, development, assessment, evidence, asked_for("A test"))) for to in (parts, undecided)
    ]
    (folder / "endings.json").write_text(json.dumps(endings))
