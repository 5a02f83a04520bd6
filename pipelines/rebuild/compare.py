"""A registered version made again from its own record: the recipe followed on the recorded partitions, nothing searched.

The record is the sealed bundle's lineage. Partitions are found by digest, so a lake that was moved or taken in anew
serves as well. What comes out is sealed with the recorded lineage: equal bytes then mean that everything is equal.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from models.bundle import MANIFEST, Bundle, sha256
from models.clock import Month
from models.errors import NotApproved, PlatformError
from models.governance.dossier import evidence_digest
from models.lake import OUTCOMES, SNAPSHOTS, Lake, PartitionVersion
from models.scoring import Scorer
from models.usecase import UseCase
from monitoring.differences import Difference, changed, json_changes
from pipelines.assessment import Workshop, sealed
from pipelines.dataset import Dataset, read
from pipelines.packaging import Origin
from pipelines.supply import BILL
from pipelines.training import Recipe, refit

TOLERANCE = 1e-9  # the quantum of a probability: below it no logged score and no decision can differ
GRAPH = "model.onnx"
DECLARED = ("contract.json", "inventory.json", "policy.json")  # what people wrote; the other parts follow from graph and data


class Likeness(StrEnum):
    BUNDLE = "the same bundle, byte for byte"
    GRAPH = "the same graph, byte for byte"
    SCORES = "the same scores on the golden rows"
    OTHER = "another model"
    NONE = "no model"


@dataclass(frozen=True)
class Rebuilt:
    """`largest` is the largest difference of a golden row's probability, NaN if there is nothing to compare.

    `data` says where the partitions are not those recorded, `parts` where the bundle came out otherwise, and
    `circumstances` what is not as it was and may be why.
    """

    recorded: Bundle
    made: Bundle | None
    largest: float
    data: tuple[Difference, ...]
    parts: tuple[Difference, ...]
    circumstances: tuple[Difference, ...]

    @property
    def likeness(self) -> Likeness:
        if self.made is None:
            return Likeness.NONE
        if self.made.digest == self.recorded.digest:
            return Likeness.BUNDLE
        if self.made.graph == self.recorded.graph:
            return Likeness.GRAPH
        return Likeness.SCORES if self.largest <= TOLERANCE else Likeness.OTHER

    @property
    def reproduced(self) -> bool:
        """Equal scores from other data would be luck, not a reproduction."""
        return not self.data and self.likeness in (Likeness.BUNDLE, Likeness.GRAPH, Likeness.SCORES)


def rebuild(
    use_case: UseCase,
    lake: Lake,
    workshop: Workshop,
    recorded: Bundle,
    *,
    evidence: Mapping[str, bytes],
    libraries: Mapping[str, str],
) -> Rebuilt:
    """Follow the recorded recipe here and compare. `libraries` are those installed now, name -> version."""
    lineage = recorded.lineage
    then = Origin(lineage["git_commit"], lineage["lock_sha256"])
    around = [*_circumstances(then, workshop.origin), *_libraries(evidence, libraries), *_evidence(recorded, evidence)]
    partitions, data = _partitions(lake, lineage["partitions"])
    made, parts = None, list[Difference]()
    matured = _read(use_case, lake, partitions, lineage, data) if partitions else None
    if matured is not None:
        try:
            made = _followed(use_case, matured, replace(workshop, origin=then), lineage)
            parts = _parts(recorded, made)
        except PlatformError as error:
            parts = [Difference("the recipe", "was followed", f"cannot be: {error.problem}")]
    largest = _largest(recorded, made, workshop) if made else float("nan")
    return Rebuilt(recorded, made, largest, tuple(data), tuple(parts), tuple(around))


def _read(
    use_case: UseCase, lake: Lake, partitions: Sequence[PartitionVersion], lineage: Mapping[str, Any], data: list[Difference]
) -> Dataset | None:
    """None, and why in `data`, if what is stored there cannot be read."""
    try:
        return read(use_case, lake, partitions, definition=Recipe.from_dict(lineage["recipe"]).definition_version)
    except PlatformError as error:
        data.append(Difference("the partitions", "were read", f"cannot be: {error.problem}"))
        return None


def _followed(use_case: UseCase, matured: Dataset, workshop: Workshop, lineage: Mapping[str, Any]) -> Bundle:
    final = refit(Recipe.from_dict(lineage["recipe"]), use_case, workshop.families, matured)
    return sealed(use_case, final, matured, workshop, as_of=lineage["as_of"])


def _partitions(lake: Lake, recorded: Sequence[Mapping[str, Any]]) -> tuple[list[PartitionVersion], list[Difference]]:
    """The recorded partitions in the order in which cohorts are read; none if one is missing.

    A version with another content stands in for the recorded one, so that what it does to the scores can be said.
    """
    found: list[PartitionVersion] = []
    differences: list[Difference] = []
    for part in sorted(recorded, key=lambda part: (part["month"], (SNAPSHOTS, OUTCOMES).index(part["table"]))):
        what, digest = f"{part['table']} {part['month']} version {part['version']}", str(part["digest"])
        try:
            history = lake.history(part["table"], Month.parse(part["month"]))
        except PlatformError as error:
            return [], [*differences, Difference(what, f"digest {digest[:12]}", f"unreadable: {error.problem}")]
        numbered = [version for version in history if version.version == part["version"]]
        same = [version for version in [*numbered, *history] if version.digest == digest]
        found += (same or numbered)[:1]
        if not same:
            now = f"digest {numbered[0].digest[:12]}, {numbered[0].rows} rows" if numbered else "missing"
            differences.append(Difference(what, f"digest {digest[:12]}, {part['rows']} rows", now))
    return (found if len(found) == len(recorded) else []), differences


def _circumstances(then: Origin, now: Origin) -> list[Difference]:
    return changed("git commit", then.git_commit, now.git_commit) + changed(
        "SHA-256 of requirements.lock", then.lock_sha256, now.lock_sha256
    )


def _libraries(evidence: Mapping[str, bytes], now: Mapping[str, str]) -> list[Difference]:
    """Against the bill of materials in the evidence, if there is one."""
    if BILL not in evidence:
        return []
    then = {part["name"]: part["version"] for part in json.loads(evidence[BILL])["components"]}
    return [
        difference
        for name in sorted({*then, *now})
        for difference in changed(f"library {name}", then.get(name, "not installed"), now.get(name, "not installed"))
    ]


def _evidence(recorded: Bundle, evidence: Mapping[str, bytes]) -> list[Difference]:
    """The recipe stands in the evidence too: that two sealed records contradict each other is worth knowing."""
    try:
        evidence_digest(evidence, recorded.digest)
    except NotApproved as why:
        return [Difference("the evidence", "was sealed with the bundle", why.problem)]
    other = json.loads(evidence["recipe.json"]) if "recipe.json" in evidence else recorded.lineage["recipe"]
    found = json_changes("recipe", recorded.lineage["recipe"], other)
    return [replace(each, now=f"{each.now} in the evidence") for each in found]


def _parts(recorded: Bundle, made: Bundle) -> list[Difference]:
    """By file; a bundle sealed by an earlier release of the platform may lack some of today's.

    Another graph gives other scores, so what is made of scores says nothing more then.
    """
    names = {*recorded.files, *made.files} - {MANIFEST}
    differences: list[Difference] = []
    for name in sorted(names if recorded.graph == made.graph else names & {GRAPH, *DECLARED}):
        if name not in recorded.files or name not in made.files:
            then, now = ("part of the bundle" if name in one.files else "no part of it" for one in (recorded, made))
            differences.append(Difference(name, then, now))
        elif recorded.files[name] != made.files[name]:
            differences += (
                changed("digest of the graph", sha256(recorded.graph), sha256(made.graph))
                if name == GRAPH
                else json_changes(name.removesuffix(".json"), recorded.part(name), made.part(name))
            )
    return differences


def _largest(recorded: Bundle, made: Bundle, workshop: Workshop) -> float:
    if recorded.contract.inputs != made.contract.inputs:
        return float("nan")
    rows = np.array(recorded.part("golden.json")["inputs"], dtype=np.float64)
    scorers: list[Scorer] = [workshop.load(bundle.graph) for bundle in (recorded, made)]
    then, now = (scorer.probabilities(rows) for scorer in scorers)
    return float(np.max(np.abs(then - now)))
