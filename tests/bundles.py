"""Small bundles of the running example, and what it takes to release them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.bundle import Bundle, canonical
from models.channel import Move, Pointer, ReleaseChannel, publish
from models.contract import Contract
from models.credit_default import USE_CASE as CREDIT_DEFAULT
from models.credit_default.policy import ROBUSTNESS as CREDIT_ROBUSTNESS
from models.estimator import Tree, TreeEnsemble
from models.governance.approval import approve
from models.governance.explanation.baseline import recorded
from models.governance.signing import Duty, Signer, Trust
from models.policy import CutOffs
from models.scoring import Scorer
from tests.fakes.scorer import FakeScorer
from tests.rules import plain

# The tests have costs of their own: what the example's owner thinks of his is not their matter.
COST = CREDIT_DEFAULT.policy.cost.model_copy(update={"lost_margin": 7_500.0})
_review, _reduce = COST.cut_offs()
CUT_OFFS = CutOffs(review=_review, reduce=_reduce)
# Their accounts are made column by column: nothing in them goes together, and mixing them makes nothing odd.
ROBUSTNESS = CREDIT_ROBUSTNESS.model_copy(
    update={"compared": (), "signs": (), "caught": CREDIT_ROBUSTNESS.caught | {"mixed": 0.0}}
)
USE_CASE = replace(
    CREDIT_DEFAULT,
    policy=CREDIT_DEFAULT.policy.model_copy(update={"cost": COST, "cut_offs": CUT_OFFS, "robustness": ROBUSTNESS}),
)

MODEL = USE_CASE.name
NOW = datetime(2005, 8, 1, 6, tzinfo=UTC)


@dataclass
class Office:
    """Who may publish and who may approve, with their keys."""

    publisher: Signer = field(default_factory=lambda: Signer("pipeline", Duty.PUBLISH, Ed25519PrivateKey.generate()))
    approver: Signer = field(default_factory=lambda: Signer("validator", Duty.APPROVE, Ed25519PrivateKey.generate()))

    @property
    def trust(self) -> Trust:
        return Trust(
            {signer.duty: {signer.name: signer.public()} for signer in (self.publisher, self.approver)}, demonstration=True
        )

    def promote(self, channel: ReleaseChannel, bundle: Bundle, *, version: int = 1, now: datetime = NOW) -> Pointer:
        """Approve and publish over whatever is at the head."""
        channel.add_bundle(bundle.digest, bundle.files)
        approval = approve(
            self.approver,
            model=bundle.model,
            bundle=bundle.digest,
            evidence="e" * 64,
            trainer="pipeline",
            now=now,
            comment="checked",
        )
        channel.add_approval(bundle.digest, approval)
        last = channel.pointers(bundle.model)
        return publish(
            channel,
            self.publisher,
            self.trust,
            model=bundle.model,
            version=version,
            bundle=bundle.digest,
            expected=channel.pointer(bundle.model, last).document["bundle"] if last else "",
            now=now,
            reason="a test",
            move=Move.PROMOTE,
            asked_by="a test",
        )


def fake_bundle(base: float = 0.1, **changes: Any) -> Bundle:
    """Its graph is one that `FakeScorer` reads."""
    return sealed(str(base).encode(), FakeScorer, **changes)


def real_bundle(base: float = 0.1) -> Bundle:
    """One tree over two features, exported like any trained model. Needs the pipelines' tools."""
    from models.adapters.onnx_graph import export
    from models.adapters.onnx_runtime import OnnxScorer
    from models.calibration import Calibration

    # status <= 0 ? (usage <= 0.5 ? -1 : usage <= 0.7 ? 0 : just below the reduce cut-off) : 1.5
    cut_off = USE_CASE.policy.cut_offs.reduce
    below = float(np.log(cut_off / (1 - cut_off)) - np.log(base / (1 - base))) - 0.02
    side, none = np.array([1, 3, -1, -1, 5, -1, -1]), np.array([2, 4, -1, -1, 6, -1, -1])
    feature, split = np.array([0, 1, 0, 0, 1, 0, 0]), np.array([0.0, 0.5, 0, 0, 0.7, 0, 0])
    tree = Tree(feature, split, side, none, np.array([0, 0, 1.5, -1.0, 0, 0.0, below]))
    ensemble = TreeEnsemble(("status", "usage"), 0.0, (tree,))
    calibration = Calibration(1.0, float(np.log(base / (1 - base))))
    graph = export(USE_CASE.contract, _features, ensemble.features, ensemble, calibration)
    return sealed(graph, OnnxScorer)


def _features(columns: Mapping[str, Any], xp: Any) -> dict[str, Any]:
    return {
        "status": xp.astype(columns["status_0"], xp.float64),
        "usage": xp.astype(columns["bill_0"], xp.float64) / xp.astype(columns["credit_limit"], xp.float64),
    }


def sealed(
    graph: bytes,
    make_scorer: Callable[[bytes], Scorer],
    *,
    contract: Contract = USE_CASE.contract,
    parts: dict[str, bytes] | None = None,
    model: str = MODEL,
) -> Bundle:
    rows = np.array([[50_000, status, 0, 28_314, 49_291, 1_100, 1_200] for status in (-1, 0, 2)], dtype=np.float64)
    scores = USE_CASE.policy.quantise(make_scorer(graph).probabilities(rows))
    own = {
        "model.onnx": graph,
        "contract.json": canonical(contract.to_dict()),
        "policy.json": canonical(USE_CASE.policy.model_dump(mode="json")),
        "reference.json": b"{}",
        "golden.json": canonical({"columns": contract.inputs, "inputs": rows.tolist(), "probabilities": scores.tolist()}),
        "inventory.json": canonical(USE_CASE.inventory.model_dump(mode="json")),
        "reasons.json": canonical(reasons(contract, make_scorer(graph))),
        "uncertainty.json": canonical(plain(contract, USE_CASE.policy).to_dict()),
    }
    return Bundle.seal(model, own | (parts or {}), lineage={"git_commit": "test"})


def reasons(contract: Contract, scorer: Scorer) -> dict[str, Any]:
    """Of accounts of any standing, among them those that just are not reduced."""
    limits, statuses = np.meshgrid([20_000.0, 50_000.0, 200_000.0, 1_000_000.0], [-1, 0, 2])
    count = limits.size
    amounts = {name: np.linspace(0.0, 40_000.0, count) for name in ("bill_0", "bill_1", "payment_0", "payment_1")}
    columns = {"credit_limit": limits.ravel(), "status_0": statuses.ravel(), "status_1": np.zeros(count), **amounts}
    return recorded(contract, USE_CASE.policy, columns, scorer)


def record(**changes: Any) -> dict[str, Any]:
    """A record of the running example that the contract accepts."""
    names = USE_CASE.contract.request_model().model_fields
    return {name: USE_CASE.contract[name].example for name in names} | changes


def records(*each: dict[str, Any]) -> list[dict[str, Any]]:
    """Records of different accounts, a record for each set of changes."""
    one = record()
    return [one | {"account_id": f"A{number}"} | changes for number, changes in enumerate(each)]
