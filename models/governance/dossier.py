"""The evidence folder of a bundle, checked byte by byte: what an approver read is what is promoted."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from models.bundle import MANIFEST, sha256
from models.errors import NotApproved

FIGURES = "figures.json"
FAIRNESS = "fairness"
FAILED, NOT_JUDGED = "failed", "not judged"
_NOTHING_TO_ACCEPT = frozenset({"passed", "binding", "reported"})
"""Verdicts of figures that passed, that would have kept the pack from being sealed, or that no gate looks at."""


class Dossiers(Protocol):
    """Where evidence is kept: what training leaves, and evidence packs, each by its digest."""

    def files(self, model: str, bundle: str, evidence: str = "") -> Mapping[str, bytes]:
        """Every file by its name below the folder, as it is now: of the pack with this digest, else what training left.

        Empty if there is neither.
        """
        ...

    def place(self, model: str, bundle: str, evidence: str = "") -> str:
        """Where a person looks at it."""
        ...


def evidence_digest(files: Mapping[str, bytes], bundle: str, demanded: Collection[str] = (), version: int = 0) -> str:
    """The digest that stands for every file: that of the manifest, which lists the others.

    Raises `NotApproved` if a file is missing, was changed or added, if the evidence is of another bundle, or if one of the
    `demanded` files is not part of it; then `version` is what a pack is to be built for.
    """
    short = bundle[:12]
    listed = _manifest(files, short)
    digests: Mapping[str, str] = listed["files"]
    if listed["bundle"] != bundle:
        raise altered(f"the evidence is of bundle {listed['bundle'][:12]}, not of {short}")
    if missing := sorted(digests.keys() - files.keys()):
        raise altered(f"the evidence of bundle {short} lacks {', '.join(missing)}")
    if unbuilt := sorted(set(demanded) - files.keys()):
        raise NotApproved(
            f"the evidence of bundle {short} lacks {', '.join(unbuilt)}",
            hint=f"build its evidence pack: make evidence VERSION={version or '…'}; what training leaves comes by training again",
        )
    if added := sorted({*files, *demanded} - {*digests, MANIFEST}):
        raise altered(f"{', '.join(added)} is not in the manifest of the evidence of bundle {short}")
    if changed := sorted(name for name, digest in digests.items() if sha256(files[name]) != digest):
        raise altered(f"{', '.join(changed)} in the evidence of bundle {short} was changed after sealing")
    return sha256(files[MANIFEST])


def open_gates(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The gates of an evidence pack's figures that were not passed, by name, each with its verdict: "fairness: failed".

    Raises `NotApproved` if the list of figures cannot be read.
    """
    try:
        figures = json.loads(files[FIGURES])["figures"] if FIGURES in files else []
        left = unpassed((str(figure["gate"]), str(figure["verdict"])) for figure in figures)
    except (ValueError, KeyError, TypeError) as error:
        raise altered(f"{FIGURES} of the evidence cannot be read") from error
    return tuple(f"{name}: {verdict}" for name, verdict in left.items())


def unpassed(figures: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Verdicts by gate, of gates and verdicts of figures: those that are no pass.

    None passes by default: one verdict that is no pass keeps its gate open, and without figures of fairness it was not judged.
    """
    verdicts: dict[str, set[str]] = {}
    for gate, verdict in figures:
        verdicts.setdefault(gate, set()).add(verdict)
    verdicts.setdefault(FAIRNESS, {NOT_JUDGED})
    left = {gate: given - _NOTHING_TO_ACCEPT for gate, given in sorted(verdicts.items())}
    return {gate: FAILED if FAILED in given else " and ".join(sorted(given)) for gate, given in left.items() if given}


def by_verdict(gates: Iterable[str]) -> str:
    """Open gates for people: "failed (auc, fairness), insufficient (fairness.join)"."""
    found: dict[str, list[str]] = {}
    for each in gates:
        gate, _, verdict = each.rpartition(": ")
        found.setdefault(verdict, []).append(gate)
    return ", ".join(f"{verdict} ({', '.join(names)})" for verdict, names in found.items())


def _manifest(files: Mapping[str, bytes], short: str) -> dict[str, Any]:
    if MANIFEST not in files:
        raise altered(f"there is no sealed evidence of bundle {short}")
    try:
        listed = json.loads(files[MANIFEST])
        return {"bundle": str(listed["bundle"]), "files": dict(listed["files"])}
    except (ValueError, KeyError, TypeError) as error:
        raise altered(f"the manifest of the evidence of bundle {short} cannot be read") from error


def altered(problem: str) -> NotApproved:
    return NotApproved(problem, hint="nobody can have approved this: restore the folder, or train again")
