"""A swap-set report that tests tell stories with, kept and named in a ledger as the command does."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models.adapters.file_ledger import FileLedger
from models.adapters.pack_folder import PackFolder
from models.bundle import sha256
from models.credit_default.policy import POLICY
from models.governance.ledger import Event
from pipelines.adapters.swap_set_page import render
from pipelines.swap_set import compare
from pipelines.swap_set.compare import Scored
from pipelines.swap_set.report import PAGE, REPORT, MixRow, Side, SwapSet

CHAMPION, CHALLENGER = "a" * 64, "c" * 64


def report(model: str = "credit_default") -> SwapSet:
    """Of a thousand accounts whom the challenger scores a little higher."""
    accounts = np.array([f"p1_{number:060x}" for number in range(1_000)])
    low = POLICY.quantise(np.linspace(0.01, 0.6, 1_000))
    high = POLICY.quantise(low + 0.02)
    champion, challenger = (Scored(p, POLICY.cut_offs.actions(p)) for p in (low, high))
    sides = [
        Side(version=number, bundle=bundle, actions=each.counts(), mean_probability=float(each.probability.mean()))
        for number, bundle, each in ((1, CHAMPION, champion), (2, CHALLENGER, challenger))
    ]
    return SwapSet(
        model=model,
        title="Monthly line review of credit-card accounts",
        month="2005-08",
        accounts=1_000,
        sources=({"table": "snapshots", "month": "2005-08", "version": 1, "digest": "d" * 64, "rows": 1_000},),
        confidence=0.95,
        currency="TWD",
        champion=sides[0],
        challenger=sides[1],
        cells=compare.cells(accounts, champion, challenger),
        costs=compare.costs(POLICY.cost, champion, challenger, 0.95),
        change=compare.change(champion, challenger),
        distinct=compare.distinct({"credit_limit": low * 1e5}, compare.direction(champion, challenger) != 0),
        mix=(MixRow(column="sex", group="female", accounts=600, harsher=30), MixRow(column="sex", group="male", accounts=400)),
        minimum_cell=100,
        notes=("The outcomes of this month are not known.",),
    )


def write(home: Path) -> SwapSet:
    made = report()
    files = {REPORT: made.to_bytes(), PAGE: render(made)}
    PackFolder(home / "swap-sets").store(made.model, CHALLENGER, made.digest, files)
    facts = {"bundle": CHALLENGER, "against": CHAMPION, "month": made.month, "report": made.digest, "page": sha256(files[PAGE])}
    at = datetime(2026, 11, 1, tzinfo=UTC)
    FileLedger(home / "ledger.jsonl").append(Event.SWAP_SET_SEALED, model=made.model, actor="pipeline", at=at, facts=facts)
    return made
