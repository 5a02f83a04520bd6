"""The fairness report of the champion, from what is stored: bundle, lake, evidence and restricted table; and, through the same
door, the groups of those whom another version decides upon, or would decide upon, otherwise."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.clock import Month
from models.errors import Integrity, NoChampion
from models.governance.dossier import evidence_digest
from models.governance.fairness.alternatives import CHAMPION
from models.governance.fairness.report import FairnessReport
from models.governance.requests import Office
from models.lake import OUTCOMES, Lake
from models.policy import FairnessLimits
from models.splits import Plan
from models.usecase import UseCase
from monitoring.rollout.observations import Segments
from pipelines.assessment import Cohorts
from pipelines.dataset import load
from pipelines.fairness.assemble import Materials, fairness_report
from pipelines.fairness.mix import GroupMix, mix
from pipelines.fairness.segments import segments
from pipelines.openings import note_opening
from pipelines.steps import in_force
from pipelines.stopwatch import Part
from pipelines.training import Recipe
from pipelines.wiring import Platform

BUDGET_SECONDS = 120  # for 30,000 accounts a month on two cores


def champion_report(platform: Platform) -> FairnessReport:
    """Raises `NoChampion`, `NotApproved` if the evidence was touched, `Integrity` if the rows are other than the bundle's."""
    champion = in_force(platform)
    if champion is None:
        raise NoChampion(f"{platform.use_case.name} has no champion", hint="run `make train`")
    bundle = champion.bundle
    with platform.watch.step("read the cohorts", Part.DATA):
        cohorts = cohorts_of(platform.use_case, platform.lake, bundle)
        files = platform.evidence.files(bundle.model, bundle.digest)
        evidence_digest(files, bundle.digest)
    return report_on(platform, Materials(bundle, champion.scorer, cohorts, json.loads(files["development.json"])))


def report_on(platform: Platform, materials: Materials) -> FairnessReport:
    """Of any sealed model, also of one that was just trained and is not in force."""
    with platform.watch.step("compute fairness", Part.MODEL):
        report = fairness_report(
            platform.use_case,
            materials,
            platform.audit_table,
            platform.families,
            workers=platform.settings.workers,
            progress=platform.progress.count,
        )
    count_look(platform.office, report, materials.cohorts, platform.trainer)
    return report


def mix_of(
    platform: Platform, limits: FairnessLimits, month: Month, accounts: NDArray[np.str_], direction: NDArray[np.int64]
) -> list[GroupMix]:
    """Which groups are decided upon otherwise; see `mix`."""
    return mix(platform.use_case.contract, limits, platform.audit_table, month, accounts, direction)


def segments_of(platform: Platform, limits: FairnessLimits, accounts: Mapping[Month, Iterable[str]]) -> list[Segments]:
    """The groups of the accounts of a roll-out; see `segments`. A roll-out is judged with the same ones at every look."""
    return segments(platform.use_case.contract, limits, platform.audit_table, accounts)


def count_look(office: Office, report: FairnessReport, cohorts: Cohorts, actor: str) -> None:
    """An alternative that was confirmed out of time was looked at there: one more model that the month has judged."""
    if (name := report.confirmation.name) != CHAMPION:
        month = cohorts.plan.out_of_time
        note_opening(office, report.model, report.bundle, month, cohorts.as_of, actor, alternative=name)


def cohorts_of(use_case: UseCase, lake: Lake, bundle: Bundle) -> Cohorts:
    """The very partitions that the bundle was made of, whatever was restated since."""
    recipe, partitions = Recipe.from_dict(bundle.lineage["recipe"]), bundle.lineage["partitions"]
    as_of, known_at = date.fromisoformat(bundle.lineage["as_of"]), _known_at(lake, partitions)
    months = sorted(Month.parse(part["month"]) for part in partitions if part["table"] == OUTCOMES)
    whole, before, judged = (
        load(use_case, lake, chosen, as_of, known_at, definition=recipe.definition_version)
        for chosen in (months, months[:-1], months[-1:])
    )
    if _digests(whole.lineage()) != _digests(partitions):
        raise Integrity(
            f"the lake no longer has the rows that bundle {bundle.digest[:12]} was made of",
            hint="restore its partitions, or train again",
        )
    return Cohorts(as_of, Plan(tuple(months[:-1]), months[-1]), before, judged, whole)


def _known_at(lake: Lake, partitions: list[Mapping[str, Any]]) -> datetime:
    """When the last of these versions was recorded."""
    wanted = {(part["table"], part["month"], part["version"]) for part in partitions}
    stored = [part for table, month, _ in wanted for part in lake.history(table, Month.parse(month))]
    return max(part.recorded_at for part in stored if (part.table, str(part.month), part.version) in wanted)


def _digests(partitions: list[Any]) -> set[tuple[str, str, str]]:
    return {(part["table"], str(part["month"]), part["digest"]) for part in partitions}
