"""A feature changes, the model is trained again, promoted and rolled back: what serves always scores its golden rows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.adapters.file_ledger import FileLedger
from models.adapters.folder_channel import FolderChannel
from models.adapters.gradient_boosting import GradientBoosting
from models.adapters.key_files import DEMONSTRATION_APPROVER, PUBLISHER, WITNESS, make_local_keys, signer, trust
from models.adapters.onnx_graph import export
from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import Bundle
from models.calibration import Calibration
from models.channel import release
from models.clock import FixedClock, Month
from models.contract import Columns
from models.credit_default import USE_CASE
from models.errors import Integrity
from models.gates import Parity
from models.governance.doubt.rule import Rule
from models.governance.ledger import Event
from models.governance.requests import Office
from models.governance.signing import Duty
from models.registry import RunRecord
from models.scoring import check_golden_rows
from models.usecase import UseCase
from pipelines.packaging import Origin, lineage, parity, seal
from pipelines.promotion import Candidate, Desk, promote, request_promotion, roll_back
from tests.fakes.registry import FakeRegistry
from tests.office import PaperDossiers, paper_evidence_digest
from tests.samples import EXPECTED

pytestmark = pytest.mark.integration

MODEL, CALIBRATION = USE_CASE.name, Calibration(0.93, -0.11)
PARAMETERS = {
    "trees": 60,
    "leaves": 15,
    "learning_rate": 0.1,
    "minimum_leaf": 0.01,
    "row_share": 1.0,
    "feature_share": 1.0,
    "l2": 1.0,
}


def changed_features(columns: Mapping[str, Any], xp: Any) -> dict[str, Any]:
    """One feature means something else now, and one is new."""
    derived = USE_CASE.features(columns, xp)
    limit, bill = (xp.astype(columns[name], xp.float64) for name in ("credit_limit", "bill_0"))
    return derived | {
        "utilisation_0": xp.minimum(bill / limit, xp.ones_like(limit)),
        "bill_to_limit_squared": (bill / limit) * (bill / limit),
    }


AS_IS, CHANGED = USE_CASE, replace(USE_CASE, features=changed_features)


@pytest.fixture(scope="module")
def july() -> tuple[Columns, Any]:
    """4,000 real accounts of July and what became of them in August."""
    cohort = USE_CASE.source().cohort(Month(2005, 7), date(2005, 8, 31))
    assert cohort.outcome_codes is not None
    chosen = np.random.default_rng(1).choice(len(cohort.outcome_codes), 4_000, replace=False)
    return {name: values[chosen] for name, values in cohort.columns.items()}, cohort.outcome_codes[chosen] >= 1


def trained(use_case: UseCase, columns: Columns, bad: Any) -> tuple[Bundle, Parity]:
    """A small LightGBM model, sealed, and how its graph compares with LightGBM itself."""
    inputs = {name: columns[name] for name in use_case.contract.inputs}
    derived = use_case.features(inputs, np)
    X = np.column_stack([derived[name] for name in derived])
    fitted = GradientBoosting().fit(X, bad, features=list(derived), directions={}, parameters=PARAMETERS, seed=1)
    bundle = seal(
        use_case,
        fitted.ensemble(),
        CALIBRATION,
        reference=inputs,
        outcomes=bad,
        development=inputs,
        expected=EXPECTED,
        lineage=lineage(Origin("unknown", "unknown"), partitions=[], recipe=PARAMETERS, seed=1, as_of="2005-08-31"),
        export=export,
        load=OnnxScorer,
    )
    theirs = CALIBRATION.apply(fitted.log_odds(X))
    return bundle, parity(OnnxScorer(bundle.graph), use_case.contract, Rule.of(bundle), inputs, theirs)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    keys, trusted = tmp_path / "keys", tmp_path / "keys" / "trust.json"
    make_local_keys(keys, trusted)
    office = Office(
        channel=FolderChannel(tmp_path / "channel"),
        ledger=FileLedger(tmp_path / "ledger.jsonl", lambda: signer(keys, WITNESS, Duty.ATTEST)),
        trust=trust(trusted, demonstration=True),
        publisher=signer(keys, PUBLISHER, Duty.PUBLISH),
        clock=FixedClock(datetime(2005, 9, 1, tzinfo=UTC)),
        dossiers=PaperDossiers(),
        demonstration=signer(keys, DEMONSTRATION_APPROVER, Duty.APPROVE),
    )
    return Desk(FakeRegistry(), office)


def put_into_force(desk: Desk, bundle: Bundle, compared_with: str) -> None:
    run = RunRecord("train", {}, {}, {})
    made = Candidate(bundle, run, trainer="pipeline-user", evidence=paper_evidence_digest(bundle.digest))
    request_promotion(desk, made, compared_with=compared_with, reason="the gate said so")
    promote(desk, MODEL, bundle.digest)


def served(desk: Desk) -> Bundle:
    """As a service would load it: everything verified, the golden rows scored."""
    found = release(desk.office.channel, desk.office.trust, MODEL, now=desk.office.clock.now()).bundle
    check_golden_rows(found, OnnxScorer(found.graph))
    return found


def test_a_feature_changes_and_the_golden_rows_pass_at_every_step(desk: Desk, july: tuple[Columns, Any]) -> None:
    first, _ = trained(AS_IS, *july)
    second, _ = trained(CHANGED, *july)
    assert first.part("golden.json")["inputs"] == second.part("golden.json")["inputs"]
    assert first.part("golden.json")["probabilities"] != second.part("golden.json")["probabilities"]

    put_into_force(desk, first, compared_with="")
    assert served(desk) == first

    put_into_force(desk, second, compared_with=first.digest)
    assert served(desk) == second

    roll_back(desk, MODEL, away_from=second.digest, asked_by="on-call", reason="drill")
    assert served(desk) == first
    events = [entry.event for entry in desk.office.ledger.entries(MODEL)]
    assert events == [*[Event.REGISTERED, Event.REQUESTED, Event.APPROVED, Event.PROMOTED] * 2, Event.ROLLED_BACK]


@pytest.mark.parametrize("use_case", [AS_IS, CHANGED], ids=["as is", "changed"])
def test_the_graph_decides_as_lightgbm_does_on_real_accounts(use_case: UseCase, july: tuple[Columns, Any]) -> None:
    _, found = trained(use_case, *july)

    assert found.rows == 4_000
    assert found.difference <= 1e-12
    assert found.changed_decisions == 0


def test_training_again_on_the_same_data_gives_the_same_bundle(july: tuple[Columns, Any]) -> None:
    assert trained(AS_IS, *july)[0].digest == trained(AS_IS, *july)[0].digest


def test_a_model_beside_another_models_golden_rows_is_not_served(desk: Desk, july: tuple[Columns, Any]) -> None:
    first, second = trained(AS_IS, *july)[0], trained(CHANGED, *july)[0]
    parts = {**first.files, "model.onnx": second.graph}
    parts.pop("manifest.json")
    put_into_force(desk, Bundle.seal(MODEL, parts, lineage={}), compared_with="")

    with pytest.raises(Integrity, match="golden rows score differently"):
        served(desk)
