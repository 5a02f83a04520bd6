"""Months of a small portfolio on the running example's contract, decided by a model that needs no graph."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import PARTS, Bundle, canonical
from models.clock import Month
from models.contract import Columns, Contract
from models.credit_default import USE_CASE
from models.errors import Unavailable
from models.governance.explanation.reasons import Reason
from models.lake import OUTCOMES, SNAPSHOTS, Lake, PartitionVersion
from models.reference import Expected, profile
from monitoring.decisions import spelled
from monitoring.pages import Page
from monitoring.sealing import DECISIONS
from tests.rules import plain

ROWS = 2_000
FIRST_REASONS = {"R1": 900, "R2": 40, "R3": 40, "R4": 20}


def accounts(month: Month, rows: int = ROWS, *, seed: int = 0, behind: Sequence[float] = (0.8, 0.0, 0.2)) -> dict[str, Any]:
    """A snapshot; `behind` are the shares of status 0, 1 and 2."""
    rng = np.random.default_rng([month.year, month.number, seed])
    return {
        "account_id": np.array([f"A{number:05d}" for number in range(rows)]),
        "snapshot_month": np.full(rows, str(month)),
        "credit_limit": rng.choice([50_000.0, 100_000.0, 300_000.0], rows),
        "status_0": rng.choice([0, 1, 2], rows, p=behind),
        "status_1": rng.choice([0, 2], rows, p=[0.85, 0.15]),
        "bill_0": rng.gamma(2.0, 20_000.0, rows).round(),
        "bill_1": rng.gamma(2.0, 20_000.0, rows).round(),
        "payment_0": rng.exponential(3_000.0, rows).round(),
        "payment_1": rng.exponential(3_000.0, rows).round(),
    }


class StatusScorer:
    """Probabilities from the status and a little from the bill, so that scores differ."""

    def __init__(self, graph: bytes = b"") -> None:
        self.graph = graph

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        columns = dict(zip(USE_CASE.contract.inputs, inputs.T, strict=True))
        worse = np.maximum(columns["status_0"], 0) + 0.5 * np.maximum(columns["status_1"], 0)
        return np.asarray(0.06 + 0.24 * worse / 1.5 + 1e-7 * columns["bill_0"], dtype=np.float64)


def probabilities(columns: Columns) -> NDArray[np.float64]:
    return USE_CASE.policy.quantise(StatusScorer().probabilities(USE_CASE.contract.matrix(columns)))


def outcome_codes(columns: Columns, *, seed: int = 1, recoded: bool = False) -> NDArray[np.int64]:
    """Status codes of the month after, drawn from the model's own probabilities: such a model is calibrated.

    `recoded`: code 1 now also stands for every tenth account, whether it is in trouble or not.
    """
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random(len(columns["account_id"])) < probabilities(columns), 2, 0)
    return np.where((codes == 0) & (rng.random(len(codes)) < 0.12), 1, codes) if recoded else codes


def bundle(lake: Lake, trained_on: PartitionVersion, **expected: Any) -> Bundle:
    """A sealed bundle whose reference is that partition."""
    columns = lake.read([trained_on])
    scores, contract, policy = probabilities(columns), USE_CASE.contract, USE_CASE.policy
    known: dict[str, Any] = {
        "auc": 0.77,
        "auc_error": 0.015,
        "brier": 0.1,
        "bad_rate": 0.16,
        "definition_version": 1,
        "months": [str(trained_on.month)],
    } | expected
    reference = profile(
        contract, columns, scores, policy.cut_offs.actions(scores), Expected(**known), policy.monitoring.segments, FIRST_REASONS
    )
    parts = dict.fromkeys(PARTS, b"{}") | {
        "contract.json": canonical(contract.to_dict()),
        "policy.json": canonical(policy.model_dump(mode="json")),
        "reference.json": canonical(reference),
        "uncertainty.json": canonical(plain(contract, policy).to_dict()),
    }
    partition = {"table": SNAPSHOTS, "month": str(trained_on.month), "version": trained_on.version, "digest": trained_on.digest}
    return Bundle.seal(USE_CASE.name, parts, lineage={"partitions": [json.loads(json.dumps(partition))]})


def log_of(columns: Columns, by: Bundle, version: int = 1) -> dict[str, Any]:
    """The decision log's columns for these accounts."""
    rows = len(columns["account_id"])
    scores = probabilities(columns)
    actions = USE_CASE.policy.cut_offs.actions(scores)
    return {
        "decision_id": np.array([f"{columns['snapshot_month'][row]}-{version}-{row}" for row in range(rows)]),
        "account_id": columns["account_id"],
        "version": np.full(rows, version),
        "bundle": np.full(rows, by.digest),
        "probability": scores,
        "action": actions,
        "reasons": np.where(actions == "reduce", _reasons(rows), ""),
        **{name: columns[name] for name in USE_CASE.contract.inputs},
    }


def _reasons(rows: int) -> NDArray[np.str_]:
    """A first reason for each row, in the mix of the reference."""
    codes = np.repeat(list(FIRST_REASONS), list(FIRST_REASONS.values()))[np.arange(rows) * 7 % sum(FIRST_REASONS.values())]
    return np.array([spelled([Reason(str(code), "group", "text", 0.5)]) for code in codes])


def decide(lake: Lake, columns: Columns, by: Bundle, at: datetime, version: int = 1) -> None:
    lake.write(DECISIONS, month_of(columns), log_of(columns, by, version), recorded_at=at, facts={"model": USE_CASE.name})


def mature(lake: Lake, columns: Columns, at: datetime, codes: NDArray[np.int64], coding: str = "repayment_status") -> None:
    month = month_of(columns)
    facts = {"matured_at": str(USE_CASE.matured_at(month)), "coding": coding, "definition_version": "1"}
    table = {"account_id": columns["account_id"], "outcome_code": codes}
    lake.write(OUTCOMES, month, table, recorded_at=at, facts=facts)


def month_of(columns: Columns) -> Month:
    return Month.parse(str(columns["snapshot_month"][0]))


@dataclass
class FakeRenderer:
    """Draws one line, and remembers what it was given; `broken` makes it fail as a library does that cannot draw."""

    broken: bool = False
    drawn: list[Mapping[str, Any]] = field(default_factory=list)

    def drift(self, contract: Contract, reference: Columns, current: Columns, limits: Mapping[str, float]) -> Page:
        self._draw({"reference": reference, "current": current, "limits": limits})
        return Page(b"<p>drift</p>", dict.fromkeys([*contract.inputs, "probability"], 0.01))

    def classification(self, labelled: Columns, cut_off: float) -> Page:
        self._draw({"labelled": labelled, "cut_off": cut_off})
        return Page(b"<p>classification</p>", {})

    def _draw(self, given: Mapping[str, Any]) -> None:
        if self.broken:
            raise Unavailable("the page could not be drawn")
        self.drawn.append(given)
