"""Building a pack: check that all artefacts are of one version, write the documents, list the figures, seal the folder."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.bundle import MANIFEST, canonical, sha256
from models.errors import Integrity
from pipelines.pack import files
from pipelines.pack.artefacts import REFUSED, Artefacts, Figure, Gate, Unit, missing, stale
from pipelines.pack.documents import documents
from pipelines.pack.limits import contradiction
from pipelines.pack.prose import Document

Render = Callable[[Sequence[Document], Artefacts], bytes]
"""Documents as one page."""

_FOLLOWING = frozenset({files.FIGURES, files.PAGE, MANIFEST})
"""What is made of the artefacts."""


@dataclass(frozen=True)
class Pack:
    """`files` by name, the manifest among them; `digest` is the manifest's."""

    files: Mapping[str, bytes]
    figures: tuple[Figure, ...]

    @property
    def digest(self) -> str:
        return sha256(self.files[MANIFEST])


def build(made: Mapping[str, bytes], render: Render) -> Pack:
    """Seal artefacts into a pack. The same artefacts give the same bytes.

    Raises `Integrity` if an artefact is missing, is of another version or of other data, or lacks a number that is shown.
    """
    artefacts = Artefacts(made)
    check(artefacts)
    figures, written = _written(artefacts, render)
    sealed = {**made, **written}
    manifest = {
        "bundle": artefacts.at(files.SUBJECT, "/bundle"),
        "training": artefacts.at(files.SUBJECT, "/training"),
        "files": {name: sha256(data) for name, data in sorted(sealed.items())},
    }
    return Pack({**sealed, MANIFEST: canonical(manifest)}, figures)


def _written(a: Artefacts, render: Render) -> tuple[tuple[Figure, ...], dict[str, bytes]]:
    """Everything that follows from the artefacts: the figures, and the files that show them."""
    pages = documents(a)
    figures = tuple(dict.fromkeys(figure for document in pages for figure in document.figures))
    _present(a, pages)
    if wrong := [said for figure in figures if (said := contradiction(figure))]:
        hint = "artefact or page is wrong: find out which"
        raise Integrity(f"a mark contradicts its number: {wrong[0]}; {REFUSED}", hint=hint)
    return figures, {files.FIGURES: _listed(figures), files.PAGE: render(pages, a)}


def check(a: Artefacts) -> None:
    """Everything is there and about the same bundle, evidence and data. Raises `Integrity`."""
    for name in (*files.TRAINING, *(f"bundle/{part}" for part in files.SEALED), *files.COMPUTED, files.TRAINING_MANIFEST):
        if not a.has(name):
            raise missing(f"there is no {name}")
    bundle, training = a.at(files.SUBJECT, "/bundle"), a.at(files.SUBJECT, "/training")
    if a.digests[files.LINEAGE] != bundle:
        raise stale(f"{files.LINEAGE} is of bundle {a.digests[files.LINEAGE][:12]}, not of {bundle[:12]}")
    if a.digests[files.TRAINING_MANIFEST] != training:
        raise stale(f"{files.TRAINING_MANIFEST} is not that of the training evidence {training[:12]}")
    _unchanged(a, files.LINEAGE, {f"bundle/{part}": part for part in files.SEALED if part != MANIFEST})
    _unchanged(a, files.TRAINING_MANIFEST, {name: name for name in a.at(files.TRAINING_MANIFEST, "/files")})
    computed = [name for name in (*files.COMPUTED, files.REBUILD) if a.has(name) and name != files.CONTROLS]
    for name in (files.TRAINING_MANIFEST, *computed):
        if (other := a.at(name, "/bundle")) != bundle:
            raise stale(f"{name} is of bundle {other[:12]}, not of {bundle[:12]}")
    _same_rows(a)


def recheck(sealed: Mapping[str, bytes], render: Render) -> None:
    """Write a stored pack again from its artefacts: figures with limits and verdicts, and the page, byte for byte.

    Raises `Integrity`. Only the release that wrote a pack writes it so; of any other see `reread`. Whether a file was changed
    after sealing is another question: `models.governance.dossier.evidence_digest`.
    """
    reread(sealed)
    artefacts = Artefacts({name: data for name, data in sealed.items() if name not in _FOLLOWING})
    check(artefacts)
    figures, written = _written(artefacts, render)
    listed = json.loads(sealed[files.FIGURES])["figures"]
    for figure, stored in zip(figures, listed, strict=False):
        if json.loads(canonical(figure.to_dict())) != stored:
            gate = figure.gate
            raise stale(
                f"figures.json has {stored['name']} under {stored['gate']}, {stored['limit']}: {stored['verdict']}, and by its"
                f" artefacts it is {figure.name} under {gate.name}, {gate.limit}: {gate.verdict}"
            )
    for name in _FOLLOWING - {MANIFEST}:
        if sealed.get(name) != written[name]:
            raise stale(f"{name} is not what follows from the artefacts")


def reread(sealed: Mapping[str, bytes]) -> None:
    """The value of every listed figure still stands in its artefact. Raises `Integrity`.

    It says nothing of gates, verdicts and the page: those follow from the code of the release that wrote the pack.
    """
    a = Artefacts(sealed)
    for stored in a.at(files.FIGURES, "/figures"):
        now = _now(a, stored)
        if json.loads(canonical(now.to_dict())) != stored:
            raise stale(f"{stored['name']} says {stored['value']}, and {now.file} {now.value}")


def _now(a: Artefacts, stored: Any) -> Figure:
    """A listed figure, read from its artefact again."""
    try:
        source, gate = stored["source"], Gate(stored["gate"], stored["limit"], stored["verdict"])
        return a.figure(source["file"], source["pointer"], Unit(stored["unit"]), gate)
    except (KeyError, TypeError, ValueError) as error:
        raise missing(f"{files.FIGURES} has a figure that cannot be read") from error


def _unchanged(a: Artefacts, manifest: str, parts: Mapping[str, str]) -> None:
    listed = a.at(manifest, "/files")
    for name, part in parts.items():
        if not a.has(name):
            raise missing(f"there is no {name}, which {manifest} lists")
        if a.digests[name] != listed[part]:
            raise stale(f"{name} was changed since {manifest} was written")


def _same_rows(a: Artefacts) -> None:
    """Lineage, data sheet, outcome months and fairness were read from the same rows, the recipe is the sealed one."""
    sealed = _digests(a.at(files.LINEAGE, "/lineage/partitions"))
    if _digests(a.at(files.DATA, "/partitions")) != sealed:
        raise stale(f"{files.DATA} names other partitions than the bundle")
    if not {month["digest"] for month in a.at(files.OUTCOMES, "/months")} <= sealed:
        raise stale(f"{files.OUTCOMES} was read from other partitions than the bundle")
    if not sealed <= _digests(a.at(files.FAIRNESS, "/sources")):
        raise stale(f"{files.FAIRNESS} was computed from other partitions than the bundle")
    if a.at(files.RECIPE) != a.at(files.LINEAGE, "/lineage/recipe"):
        raise stale(f"{files.RECIPE} is not the recipe sealed in the bundle")
    if a.at(files.FAIRNESS, "/limits") != a.at(files.POLICY, "/fairness"):
        raise stale(f"{files.FAIRNESS} was ruled by other limits than the sealed policy's")


def _digests(parts: Sequence[Mapping[str, Any]]) -> set[str]:
    return {part["digest"] for part in parts}


def _present(a: Artefacts, written: Sequence[Document]) -> None:
    pictures = {picture.file for document in written for picture in document.pictures}
    named = {name for control in a.at(files.CONTROLS, "/controls").values() for name in control["artefacts"]} - {files.FIGURES}
    if absent := sorted(name for name in pictures | named if not a.has(name)):
        raise missing(f"there is no {', '.join(absent)}")


def _listed(figures: Sequence[Figure]) -> bytes:
    return json.dumps({"figures": [figure.to_dict() for figure in figures]}, indent=1, ensure_ascii=False).encode()
