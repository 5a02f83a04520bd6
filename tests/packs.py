"""The artefacts of a small, made-up version: enough that every document can be written, and no more."""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.adapters.file_ledger import FileLedger
from models.adapters.pack_folder import PackFolder
from models.bundle import MANIFEST, canonical, sha256
from models.credit_default import USE_CASE
from models.gates import FLOORS, PROOFS
from models.governance.fairness.figures import Kind
from models.governance.ledger import Event
from models.influence import MEASURES
from pipelines.adapters.pack_page import render
from pipelines.exposure import Measured
from pipelines.pack import files
from pipelines.pack.artefacts import Artefacts
from pipelines.pack.build import Pack, build
from pipelines.pack.controls import control_map
from pipelines.pack.prose import Document
from pipelines.pack.writer import writer

MONTHS = ("2005-06", "2005-07")
PICTURES = ("roc", "calibration", "gain", "stability", "learning_curve", "expected_cost", "doubt")
FAIRNESS_PICTURES = ("impact_ratio", "calibration", "proxies", "alternatives")
DOT = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
RECIPE: dict[str, Any] = {
    "family": "trees",
    "features": ["usage"],
    "parameters": {"leaves": 4},
    "calibration": {"slope": 1.0, "intercept": 0.0},
    "definition_version": 1,
    "search": {"folds": 3, "families": {"trees": {"trials": 9, "pruned": 1, "best_loss": 0.21}}},
}
PARTITIONS = [
    {
        "table": table,
        "month": month,
        "version": 1,
        "rows": 400,
        "recorded_at": "2005-09-01T12:00:00",
        "digest": f"{table}-{month}",
    }
    for month in MONTHS
    for table in ("snapshots", "outcomes")
]


FINE = {"value": 0.79, "limit": ">= 0.7"}  # the lower end of every estimate
JUDGED: dict[str, dict[str, Any]] = {
    "rows": {"value": 400.0, "limit": "the same rows, complete"},
    "outcomes": {"value": 60, "limit": ">= 50"},
    "calibration_slope": {"value": 0.79, "limit": ">= 0.7 and <= 1.25"},
    "monotone": {"value": 0, "limit": "0"},
    "refusals": {"value": 0, "limit": "0"},
}
"""Checks of the gate: the number that each read, and its limit."""


def artefacts(**changes: Any) -> dict[str, bytes]:
    """Files by name. `changes` replace the JSON of a file, by its name without folder and ending."""
    training = {
        files.ASSESSMENT: assessment(),
        files.DATA: {
            "development": [MONTHS[0]],
            "out_of_time": MONTHS[1],
            "out_of_time_opening": 1,
            "left_out": [],
            "partitions": PARTITIONS,
            "exposure": Measured("2005-07", 5e9, 5_024_529_680, "TWD", 0.995, 1.1, 2, 2).to_dict(),
        },
        files.DEVELOPMENT: development(),
        files.RECIPE: RECIPE,
        "sbom.cdx.json": {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "numpy"}]},
        "licences.json": {"refused": [], "exceptions": {"lib": "because"}},
    }
    sealed = {
        "inventory.json": USE_CASE.inventory.model_dump(mode="json"),
        "policy.json": USE_CASE.policy.model_dump(mode="json"),
        "contract.json": USE_CASE.contract.to_dict(),
        "uncertainty.json": {},
        "reasons.json": {},
    }
    parts = {name: _bytes(document) for name, document in sealed.items()}
    lineage = {
        "as_of": "2005-08-31",
        "known_at": "2005-09-01T12:00:00",
        "git_commit": "c" * 40,
        "lock_sha256": "1" * 64,
        "seed": 7,
    }
    lineage |= {"partitions": PARTITIONS, "recipe": RECIPE}
    manifest = canonical({"files": {name: sha256(data) for name, data in parts.items()}, "lineage": lineage})
    bundle = sha256(manifest)
    left = {name: _bytes(document) for name, document in training.items()} | {f"plots/{name}.png": DOT for name in PICTURES}
    trained = canonical({"bundle": bundle, "files": {name: sha256(data) for name, data in left.items()}})
    made = computed(bundle, sha256(trained))
    found = {
        **left,
        files.TRAINING_MANIFEST: trained,
        f"bundle/{MANIFEST}": manifest,
        **{f"bundle/{name}": data for name, data in parts.items()},
        **{name: _bytes(document) for name, document in made.items()},
        **{f"fairness/{name}.png": DOT for name in FAIRNESS_PICTURES},
    }
    return found | {_named(found, name): _bytes(document) for name, document in changes.items()}


def parsed(made: Mapping[str, bytes], file: str) -> Any:
    return json.loads(made[file])


def changed(made: Mapping[str, bytes], file: str, pointer: Sequence[str | int], value: Any) -> dict[str, bytes]:
    """The same files, with one value of one of them replaced."""
    document = parsed(made, file)
    place = document
    for token in pointer[:-1]:
        place = place[token]
    place[pointer[-1]] = value
    return {**made, file: _bytes(document)}


def write(home: Path, model: str, version: int) -> tuple[Pack, Path]:
    """A registered version in a home with its pack, as the flow leaves it; the pack and where it lies."""
    made = artefacts()
    pack, bundle = build(made, render), parsed(made, files.SUBJECT)["bundle"]
    facts = {"version": version, "bundle": bundle}
    named = {"bundle": bundle, "pack": pack.digest, "training": parsed(made, files.SUBJECT)["training"], "writer": writer()}
    ledger = FileLedger(home / "ledger.jsonl")
    for event, noted in ((Event.REGISTERED, facts), (Event.PACK_SEALED, named)):
        ledger.append(event, model=model, actor="pipeline", at=datetime(2005, 9, 1, tzinfo=UTC), facts=noted)
    return pack, PackFolder(home / "packs").store(model, bundle, pack.digest, pack.files)


def plain_page(documents: Sequence[Document], artefacts: Artefacts) -> bytes:
    """A page of titles."""
    return "\n".join(document.title for document in documents).encode()


def assessment() -> dict[str, Any]:
    overall = {"rows": 400, "bad": 60, "estimates": {name: estimate(0.8) for name in MEASURES}}
    small = {"rows": 9, "bad": 1, "insufficient": "fewer than 100 bad or good outcomes"}
    checks = [
        {"name": name, "passed": True, "sentence": f"{name} is fine.", **JUDGED.get(name, FINE)} for name in FLOORS + PROOFS
    ]
    judged = {"overall": overall, "groups": {"population": {"current": overall, "inactive": small}, "region": {"north": overall}}}
    return {
        "out_of_time": judged,
        "deployed": judged,
        "gate": {"outcome": "promote", "sentence": "Promote: every floor holds.", "checks": checks},
        "proofs": proofs(),
    }


def proofs() -> dict[str, Any]:
    covered = {"name": "half 1", "width": 0.01, "widest": 0.1, "worst": 0.5, "allowed": 3.0}
    total = {"expected": 10.0, "realised": 11.0, "error": 1.0, "reviewed": 0.1}
    noise = {"kind": "noise_1", "part": "noise", "refused": 0.0, "flagged": 0.01, "moved": 0.2, "changed": 0.01}
    units = {"kind": "all_units", "part": "wrong unit", "refused": 0.5, "flagged": 0.5, "moved": 5.0, "changed": 0.9}
    return {
        "monotone": {"violations": 0, "steps": 90, "trees": {"usage": 0}},
        "uncertainty": {
            "crosswise": [covered],
            "later": {**covered, "name": "out of time"},
            "reviewed": {"by_cut_offs": 0.1, "with_doubt": 0.12, "in_force": 0.13},
        },
        "robustness": {
            "effects": [noise, units],
            "refusals": {"offered": {"absent": 9}, "taken": {"absent": 0}},
            "false_flags": 0.005,
        },
        "cost": {
            "cut_offs": {"review": 0.1, "reduce": 0.3},
            "band": {"review": 0.09, "reduce": 0.4},
            "totals": {"in force": total},
        },
    }


def development() -> dict[str, Any]:
    return {
        "reason": "trees is the only family",
        "selection": {
            "trees": {
                "importance": {"usage": 0.1},
                "subsets": [{"size": 1, "loss": 0.2, "excess": 0.0, "error": 0.01}],
            }
        },
        "learning_curve": [{"rows": 100.0, "train_auc": 0.9, "valid_auc": 0.8, "valid_log_loss": 0.2}],
        "components": [{"components": 0.0, "explained_variance": 1.0, "auc": 0.8, "auc_gain": 0.0}],
        "cut_offs": [{"review": 0.1, "reduce": 0.3, "cost": 12.0, "excess": 0.0, "error": 0.0}],
    }


def computed(bundle: str, training: str) -> dict[str, Any]:
    entry = {
        "number": 1,
        "event": "hold_opened",
        "actor": "pipeline",
        "recorded_at": "2005-09-01T12:00:00",
        "facts": {"month": "2005-05", "what": "late"},
    }
    about = {"bundle": bundle}
    return {
        files.SUBJECT: {
            "model": "toy",
            "title": "A toy",
            "version": 3,
            "bundle": bundle,
            "training": training,
            "trainer": "anna",
        },
        files.OVERSIGHT: about | {"tier": 2, "approvers": 1, "approval_days": 365, "monitoring_months": 1},
        files.DERIVED: about | {"cut_offs": {"review": 0.1, "reduce": 0.3}},
        files.OUTCOMES: about | outcomes(),
        files.LEDGER: about | {"overrides_before": 0, "overrides": 0, "holds": 1, "entries": [entry]},
        files.FAIRNESS: about | fairness(),
        files.REASONS: about | reasons(),
        files.CONTROLS: control_map(),
    }


def outcomes() -> dict[str, Any]:
    months = [
        {
            "month": month,
            "rows": 400,
            "coding": "status",
            "matured_at": "2005-08-31",
            "digest": f"outcomes-{month}",
            "bad_rates": {"1": 0.15},
        }
        for month in MONTHS
    ]
    return {"definition": 1, "definitions": {"1": "behind", "2": "far behind"}, "inputs": 7, "months": months}


def fairness() -> dict[str, Any]:
    limits = USE_CASE.policy.fairness
    assert limits is not None
    within, outside, unsure = (
        {"jurisdiction": name, "verdict": verdict, "limit_low": low, "limit_high": high, "why": f"{name}: {verdict}."}
        for name, verdict, low, high in (
            ("house", "within", 0.5, None),
            ("EU", "outside", 0.9, None),
            ("EU", "insufficient", -0.25, 0.25),
        )
    )
    cell = {"sample": "as judged", "column": "sex", "group": "male", "rows": 200, "shortfall": "", "sentence": "In words."}
    group = {"sample": "as judged", "column": "sex", "accounts": 200, "favourable_rate": 0.7}
    return {
        "sentence": "toy: outside.",
        "verdict": "outside",
        "gates": {"fairness.impact_ratio": "outside", "fairness.alternative": "within"},
        "limits": limits.model_dump(mode="json"),
        "groups": [{**group, "group": "female", "reference": True}, {**group, "group": "male", "reference": False}],
        "figures": [
            {
                **cell,
                "kind": Kind.IMPACT_RATIO.value,
                "gate": "fairness.impact_ratio",
                "rulings": [within, outside],
                **estimate(0.6),
            },
            {
                **cell,
                "kind": Kind.SCORE_DIFFERENCE.value,
                "gate": "fairness.score_difference",
                "rulings": [unsure],
                **estimate(None),
                "shortfall": "too few",
            },
        ],
        "alternatives": {
            "reason": "the champion stays.",
            "points": [
                {"name": "champion", "auc": 0.8, "impact_ratio": 0.6, "worst": "male", "impact_gain": estimate(0.0)},
                {"name": "other", "auc": 0.8, "impact_ratio": None, "worst": "", "impact_gain": estimate(None)},
            ],
        },
        "confirmation": {"sentence": "Out of time it is the same."},
        "unjoined": {"as judged": 0, "development": 7},
        "other_reading": "The other way round it is 0.9.",
        "sources": PARTITIONS,
    }


def reasons() -> dict[str, Any]:
    spread = {"mean": 0.9, "least": 0.8, "most": 1.0}
    some = {
        "accounts": 200,
        "population": 900,
        "top_1_agreement": spread,
        "top_4_jaccard": spread,
        "still_reduced": spread,
        "reset_rule_dropped_one": 0.01,
        "reset_rule_confirmed_none": 0.0,
        "first_reason": {"balance": 1.0},
    }
    return {
        "month": MONTHS[1],
        "refits": 20,
        "refits_without_baseline": 0,
        "adverse_action": {**some, "accounts": 2, "population": 2},
        "no_notice": {**some, "top_1_agreement": {"mean": 0.9, "least": 0.7, "most": 1.0}},
        "every_reduction": some,
        "help": {
            "adverse_action": {"accounts": 0},
            "no_notice": {"accounts": 100, "found": 0.9, "changes": {"payment_0": 0.9}},
            "every_reduction": {"accounts": 100, "found": 0.9, "changes": {"payment_0": 0.9}},
        },
    }


def estimate(value: float | None) -> dict[str, float | None]:
    return {"value": value, "low": None if value is None else value - 0.01, "high": None if value is None else value + 0.01}


def _named(found: Mapping[str, bytes], name: str) -> str:
    return next(file for file in found if file.rsplit("/", 1)[-1].removesuffix(".json") == name)


def _bytes(document: Any) -> bytes:
    return json.dumps(document).encode()
