"""What a pack is made of, beside what training left: who and what it is about, what applies, months, the ledger's part."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from models.bundle import Bundle, sha256
from models.clock import Month
from models.contract import Role
from models.errors import NotFound
from models.governance.fairness.report import FairnessReport
from models.governance.inventory import declared, oversight
from models.governance.ledger import Entry, Event
from models.lake import OUTCOMES as TABLE
from models.lake import Lake
from models.usecase import UseCase
from pipelines.pack import files
from pipelines.pack.controls import control_map
from pipelines.rebuild.compare import TOLERANCE, Rebuilt

_ASKING = frozenset({Event.REGISTERED, Event.REQUESTED, Event.PACK_SEALED})
_ABOUT_IT = frozenset({Event.OUT_OF_TIME_OPENED, Event.POLICY_CHANGED, Event.KEPT, Event.OVERRIDE_REQUESTED})


def written(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).encode()


def sealed_parts(bundle: Bundle) -> dict[str, bytes]:
    """The parts of the bundle that a page quotes; its manifest has the digests of all."""
    return {f"bundle/{name}": bundle.files[name] for name in files.SEALED}


def trained(evidence: Mapping[str, bytes]) -> dict[str, bytes]:
    """Everything that training left, its manifest under another name."""
    return {files.TRAINING_MANIFEST if name == files.MANIFEST else name: data for name, data in evidence.items()}


def facts(
    use_case: UseCase, bundle: Bundle, evidence: Mapping[str, bytes], lake: Lake, ledger: Sequence[Entry]
) -> dict[str, bytes]:
    """The artefacts that cost nothing. Raises `NotFound` if the ledger has no registration of the bundle."""
    registered = registration(ledger, bundle.digest)
    subject = {
        "model": bundle.model,
        "title": use_case.title,
        "version": registered.facts["version"],
        "bundle": bundle.digest,
        "training": sha256(evidence[files.MANIFEST]),
        "trainer": registered.actor,
    }
    documents = {
        files.SUBJECT: subject,
        files.OVERSIGHT: {"bundle": bundle.digest} | asdict(oversight(declared(bundle))),
        files.OUTCOMES: outcomes(use_case, bundle, lake),
        files.DERIVED: derived(bundle),
        files.LEDGER: recorded(ledger, bundle.digest),
        files.CONTROLS: control_map(),
    }
    return {name: written(document) for name, document in documents.items()}


def derived(bundle: Bundle) -> dict[str, Any]:
    """What follows from the sealed policy: the cut-offs at which the cost matrix changes its mind."""
    review, reduce = bundle.policy.cost.cut_offs()
    return {"bundle": bundle.digest, "cut_offs": {"review": review, "reduce": reduce}}


def registration(ledger: Sequence[Entry], bundle: str) -> Entry:
    """The first entry by which a bundle was registered. Raises `NotFound`."""
    for entry in ledger:
        if entry.event is Event.REGISTERED and entry.facts["bundle"] == bundle:
            return entry
    raise NotFound(f"the ledger has no registration of bundle {bundle[:12]}", hint="run `make train`")


def recorded(ledger: Sequence[Entry], bundle: str) -> dict[str, Any]:
    """What the ledger held about the model when this version was registered, and about the version what is no approval.

    Approvals come later and sign the pack: were they inside, each would void the one before.
    """
    before = registration(ledger, bundle).number
    kept = [
        entry
        for entry in ledger
        if (entry.number < before and entry.event not in _ASKING)
        or (entry.facts.get("bundle") == bundle and entry.event in _ABOUT_IT)
    ]
    overrides = [entry for entry in kept if entry.event is Event.OVERRIDE_REQUESTED]
    own = sum(entry.facts["bundle"] == bundle for entry in overrides)
    counts = {"overrides_before": len(overrides) - own, "overrides": own, "holds": _count(kept, Event.HOLD_OPENED)}
    return {"bundle": bundle} | counts | {"entries": [_plain(entry) for entry in kept]}


def outcomes(use_case: UseCase, bundle: Bundle, lake: Lake) -> dict[str, Any]:
    """The outcome months of the bundle, read from the lake: their coding, and the bad rate by every reading of it."""
    recipe, contract = bundle.lineage["recipe"], use_case.contract
    named = {part["month"]: part for part in bundle.lineage["partitions"] if part["table"] == TABLE}
    code = contract.named(Role.OUTCOME)[0]
    months = []
    for month, part in sorted(named.items()):
        stored = next((each for each in lake.history(TABLE, Month.parse(month)) if each.digest == part["digest"]), None)
        if stored is None:
            raise NotFound(f"the lake has no outcomes of {month} with digest {part['digest'][:12]}", hint="restore the partition")
        codes, coding = lake.read([stored], [code])[code], stored.facts["coding"]
        readings = {str(n): each for n, each in use_case.definitions.items() if coding in each.codings}
        months.append(
            {
                "month": month,
                "rows": len(codes),
                "coding": coding,
                "matured_at": stored.facts["matured_at"],
                "digest": stored.digest,
                "bad_rates": {number: float(each.bad(codes).mean()) for number, each in readings.items()},
            }
        )
    return {
        "bundle": bundle.digest,
        "definition": recipe["definition_version"],
        "definitions": {str(number): each.rule for number, each in use_case.definitions.items()},
        "inputs": len(contract.inputs),
        "months": months,
    }


def fairness(report: FairnessReport, made: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a fairness report, below a folder of their own."""
    return {f"fairness/{name}": data for name, data in made.items()} | {files.FAIRNESS: written(report.to_dict())}


def reasons(bundle: str, stability: Mapping[str, Any]) -> dict[str, bytes]:
    """Without the seconds that it took: the same accounts give the same bytes."""
    figures = {name: value for name, value in stability.items() if name != "seconds"}
    return {files.REASONS: written({"bundle": bundle} | figures)}


def rebuilt(found: Rebuilt) -> dict[str, bytes]:
    document = {
        "bundle": found.recorded.digest,
        "reproduced": found.reproduced,
        "likeness": found.likeness.value,
        "tolerance": TOLERANCE,
        "data": [each.sentence for each in found.data],
        "parts": [each.sentence for each in found.parts],
        "circumstances": [each.sentence for each in found.circumstances],
    }
    return {files.REBUILD: written(document)}


def _count(entries: Iterable[Entry], event: Event) -> int:
    return sum(entry.event is event for entry in entries)


def _plain(entry: Entry) -> dict[str, Any]:
    told = {name: value for name, value in entry.facts.items() if name != "signed"}
    return {
        "number": entry.number,
        "event": entry.event.value,
        "actor": entry.actor,
        "recorded_at": entry.recorded_at,
        "facts": told,
    }
