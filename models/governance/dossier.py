"""The evidence folder of a bundle, checked byte by byte: what an approver read is what is promoted."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from models.bundle import MANIFEST, sha256
from models.errors import NotApproved

FIGURES = "figures.json"
FAIRNESS = "fairness"
NOT_JUDGED = "not judged"
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


def evidence_digest(files: Mapping[str, bytes], bundle: str, demanded: Collection[str] = ()) -> str:
    """The digest that stands for every file: that of the manifest, which lists the others.

    Raises `NotApproved` if a file is missing, was changed or added, if the evidence is of another bundle, or if one of the
    `demanded` files is not part of it.
    """
    short = bundle[:12]
    listed = _manifest(files, short)
    digests: Mapping[str, str] = listed["files"]
    if listed["bundle"] != bundle:
        raise _refused(f"the evidence is of bundle {listed['bundle'][:12]}, not of {short}")
    if missing := sorted({*digests, *demanded} - files.keys()):
        raise _refused(f"the evidence of bundle {short} lacks {', '.join(missing)}")
    if added := sorted({*files, *demanded} - {*digests, MANIFEST}):
        raise _refused(f"{', '.join(added)} is not in the manifest of the evidence of bundle {short}")
    if changed := sorted(name for name, digest in digests.items() if sha256(files[name]) != digest):
        raise _refused(f"{', '.join(changed)} in the evidence of bundle {short} was changed after sealing")
    return sha256(files[MANIFEST])


def open_gates(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The gates of an evidence pack's figures that were not passed, by name, each with its verdict: "fairness: failed".

    None passes by default: one verdict that is no pass keeps its gate open, and without figures of fairness it was not judged.
    Raises `NotApproved` if the list of figures cannot be read.
    """
    verdicts: dict[str, set[str]] = {}
    try:
        for figure in json.loads(files[FIGURES])["figures"] if FIGURES in files else ():
            verdicts.setdefault(str(figure["gate"]), set()).add(str(figure["verdict"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(f"{FIGURES} of the evidence cannot be read") from error
    found = {name: sorted(given - _NOTHING_TO_ACCEPT) for name, given in verdicts.items()}
    found |= {} if FAIRNESS in verdicts else {FAIRNESS: [NOT_JUDGED]}
    return tuple(f"{name}: {' and '.join(left)}" for name, left in sorted(found.items()) if left)


def _manifest(files: Mapping[str, bytes], short: str) -> dict[str, Any]:
    if MANIFEST not in files:
        raise _refused(f"there is no sealed evidence of bundle {short}")
    try:
        listed = json.loads(files[MANIFEST])
        return {"bundle": str(listed["bundle"]), "files": dict(listed["files"])}
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(f"the manifest of the evidence of bundle {short} cannot be read") from error


def _refused(problem: str) -> NotApproved:
    return NotApproved(problem, hint="nobody can have approved this: restore the folder, or train again")
