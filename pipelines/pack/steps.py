"""The steps of the evidence flow: slow figures on stored artefacts, then one sealed folder that people sign."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.bundle import MANIFEST, Bundle, sha256
from models.errors import NoChampion
from models.governance import release
from models.governance.dossier import evidence_digest
from models.governance.doubt.rule import Rule
from models.governance.fairness.report import FairnessReport
from models.governance.inbox import waiting
from models.governance.packs import note_pack
from models.governance.registration import note_registered
from models.governance.requests import request
from pipelines.assessment import Cohorts
from pipelines.fairness.assemble import Materials
from pipelines.fairness.step import cohorts_of, report_on
from pipelines.pack import gather
from pipelines.pack.artefacts import Figure, Verdict
from pipelines.pack.build import Pack, build
from pipelines.pack.files import DEVELOPMENT
from pipelines.pack.writer import writer
from pipelines.reasons_report import stability
from pipelines.rebuild import run as rebuilding
from pipelines.steps import in_force
from pipelines.stopwatch import Part
from pipelines.training import Recipe
from pipelines.wiring import Platform


@dataclass(frozen=True)
class Subject:
    """The version that a pack is about, with what training left and the rows that it was made of."""

    bundle: Bundle
    evidence: Mapping[str, bytes]
    cohorts: Cohorts


@dataclass(frozen=True)
class Kept:
    """A pack that was stored. `asked`: the version waits for approval, and what people sign is this pack from now on."""

    digest: str
    folder: Path
    figures: tuple[Figure, ...]
    asked: bool
    timings: tuple[tuple[str, Part, float], ...] = ()

    def of(self, verdict: Verdict) -> list[Figure]:
        return [figure for figure in self.figures if figure.gate.verdict is verdict]

    def gates(self, verdict: Verdict) -> list[str]:
        """The gates of figures with this verdict, each once."""
        return sorted({figure.gate.name for figure in self.of(verdict)})


def subject(platform: Platform, version: int = 0) -> Subject:
    """A registered version, by default the champion. Raises `NotFound`, `NoChampion`, `NotApproved`, `Integrity`."""
    with platform.watch.step("read version and cohorts", Part.DATA):
        bundle = rebuilding.registered(platform, version) if version else _champion(platform)
        evidence = platform.evidence.files(bundle.model, bundle.digest)
        evidence_digest(evidence, bundle.digest)
        return Subject(bundle, evidence, cohorts_of(platform.use_case, platform.lake, bundle))


def fairness(platform: Platform, about: Subject) -> FairnessReport:
    search = json.loads(about.evidence[DEVELOPMENT])
    return report_on(platform, Materials(about.bundle, platform.scorer(about.bundle.graph), about.cohorts, search))


def fairness_files(platform: Platform, about: Subject) -> dict[str, bytes]:
    report = fairness(platform, about)
    with platform.watch.step("draw fairness", Part.TRACKING):
        return gather.fairness(report, platform.fairness_files(report))


def reasons_files(platform: Platform, about: Subject) -> dict[str, bytes]:
    with platform.watch.step("refit for the stability of reasons", Part.MODEL):
        platform.progress.say("refitting, to see whether other accounts would have given other reasons")
        recipe = Recipe.from_dict(about.bundle.lineage["recipe"])
        return gather.reasons(
            about.bundle.digest, stability(platform.use_case, about.cohorts, recipe, platform.families, Rule.of(about.bundle))
        )


def rebuild_files(platform: Platform, about: Subject) -> dict[str, bytes]:
    with platform.watch.step("make the version again", Part.MODEL):
        version = gather.registration(platform.ledger.entries(about.bundle.model), about.bundle.digest).facts["version"]
        return gather.rebuilt(rebuilding.run(platform, version))


def seal(platform: Platform, about: Subject, computed: Mapping[str, bytes]) -> Kept:
    """Build the pack, store it, and put it before those who are to approve the version, if it waits for them."""
    with platform.watch.step("write and seal the pack", Part.TRACKING):
        bundle, entries = about.bundle, platform.ledger.entries(about.bundle.model)
        made = {
            **gather.trained(about.evidence),
            **gather.sealed_parts(bundle),
            **gather.facts(platform.use_case, bundle, about.evidence, platform.lake, entries),
            **computed,
        }
        pack = build(made, platform.render_pack)
        folder = platform.packs.store(bundle.model, bundle.digest, pack.digest, pack.files)
        named = {"bundle": bundle.digest, "pack": pack.digest, "training": sha256(about.evidence[MANIFEST]), "writer": writer()}
        note_pack(platform.office, bundle.model, platform.trainer, **named)
        return Kept(pack.digest, folder, pack.figures, _ask(platform, bundle, pack))


def _champion(platform: Platform) -> Bundle:
    champion = in_force(platform)
    if champion is None:
        raise NoChampion(f"{platform.use_case.name} has no champion", hint="name a VERSION, or run `make train`")
    return champion.bundle


def _ask(platform: Platform, bundle: Bundle, pack: Pack) -> bool:
    """Of a version that waits for approval, register and request the pack in the place of the smaller evidence."""
    office, model = platform.office, bundle.model
    wishes = [
        wish.wanted for wish in waiting(office, model, release.champion(office, model)) if wish.wanted.bundle == bundle.digest
    ]
    for wanted in wishes:
        made = gather.registration(office.ledger.entries(model), bundle.digest)
        note_registered(
            office,
            model,
            version=wanted.version,
            bundle=bundle.digest,
            evidence=pack.digest,
            run=made.facts["run"],
            actor=made.actor,
        )
        request(office, replace(wanted, evidence=pack.digest))
    return bool(wishes)
