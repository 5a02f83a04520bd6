"""The evidence of one bundle: a folder of figures and pictures, sealed by digests, that an approval signs beside the bundle."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.bundle import MANIFEST, canonical, sha256
from models.errors import NotApproved, NotFound
from models.governance.dossier import FAIRNESS, NOT_JUDGED
from models.governance.ledger import Entry
from models.governance.packs import Packs, opened
from pipelines.assessment import Assessment, Cohorts
from pipelines.development import Development
from pipelines.exposure import Measured
from pipelines.openings import Opening


@dataclass(frozen=True)
class Evidence:
    """`files` by name, the manifest among them; `digest` is the manifest's."""

    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        return sha256(self.files[MANIFEST])


def fullest(packs: Packs, entries: Sequence[Entry], model: str, bundle: str, trained: str) -> str:
    """The digest to ask with: of the evidence pack that the ledger named last, if it is made of `trained`; else `trained`.

    A pack that was touched, or made from evidence that training has replaced since, is none: it must be built again.
    """
    try:
        newest, files = opened(entries, packs, model, bundle)
    except (NotFound, NotApproved):
        return trained
    return newest if json.loads(files[MANIFEST]).get("training") == trained else trained


def collect(
    cohorts: Cohorts,
    development: Development,
    assessment: Assessment,
    opening: Opening,
    exposure: Measured | None,
    pictures: Mapping[str, bytes],
    supply: Mapping[str, bytes],
) -> Evidence:
    """Everything that the choice and the gate rested on. The same run again gives the same bytes.

    `supply` says what the model was made with: `pipelines.supply.documents`.
    """
    tables: dict[str, Any] = {
        "recipe.json": assessment.recipe.to_dict(),
        "development.json": {"reason": development.reason, **development.tables()},
        "assessment.json": assessment.tables() | {FAIRNESS: {"verdict": NOT_JUDGED, "judged_by": "make evidence"}},
        "data.json": {
            "as_of": cohorts.as_of.isoformat(),
            "development": [str(month) for month in cohorts.plan.development],
            "out_of_time": str(cohorts.plan.out_of_time),
            "out_of_time_opening": opening.number,
            "left_out": list(cohorts.left_out),
            "partitions": cohorts.matured.lineage(),
            "exposure": exposure.to_dict() if exposure else None,
        },
    }
    files = {name: json.dumps(table, indent=1, ensure_ascii=False).encode() for name, table in tables.items()}
    files |= {f"plots/{name}.png": picture for name, picture in pictures.items()} | dict(supply)
    digests = {name: sha256(data) for name, data in sorted(files.items())}
    return Evidence(files | {MANIFEST: canonical({"bundle": assessment.bundle.digest, "files": digests})})
