"""The one door to the audit columns, and that nothing which trains, chooses or scores goes through it."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models.adapters.arrow import lake_schemas
from models.clock import Month
from models.credit_default.contract import CONTRACT
from models.errors import Integrity, NotFound
from models.lake import AUDIT, GENERATION, PartitionVersion
from pipelines.fairness.audit import Join, Keyed, LakeAudit
from tests.fakes.lake import InMemoryLake
from tests.rings import ACCOUNTS, AUDIT_KEYS, ring

ROOT = Path(__file__).parents[4]
JULY = Month(2005, 7)
EARLY, LATE = datetime(2005, 8, 1, tzinfo=UTC), datetime(2005, 9, 1, tzinfo=UTC)


def by_name(accounts: np.ndarray, part: PartitionVersion) -> np.ndarray:
    return accounts


def audit(accounts: list[str], sexes: list[int]) -> dict[str, np.ndarray]:
    rows = len(accounts)
    plain = {name: np.full(rows, 1) for name in ("education", "marriage")} | {"age": np.arange(30, 30 + rows)}
    return {"account_id": np.array(accounts), "sex": np.array(sexes), **plain}


@pytest.fixture
def lake() -> InMemoryLake:
    found = InMemoryLake()
    found.write(AUDIT, JULY, audit(["A3", "A1", "A2"], [1, 2, 1]), recorded_at=EARLY)
    return found


def test_audit_columns_come_row_by_row_in_the_order_asked_for(lake: InMemoryLake) -> None:
    found = LakeAudit(lake, CONTRACT, LATE, by_name).of(JULY, np.array(["A1", "A2", "A3", "A1"]))
    assert found.columns["sex"].tolist() == [2, 1, 1, 2]
    assert found.columns["age"].tolist() == [31, 32, 30, 31]
    assert found.known.all()
    assert set(found.columns) == {"sex", "education", "marriage", "age"}


def test_an_account_that_the_table_does_not_know_is_said_to_be_unknown(lake: InMemoryLake) -> None:
    found = LakeAudit(lake, CONTRACT, LATE, by_name).of(JULY, np.array(["A0", "A1", "A2x", "A9"]))
    assert found.known.tolist() == [False, True, False, False]


def hidden(*names: str) -> np.ndarray:
    return ACCOUNTS.pseudonyms(np.array(names))


@pytest.fixture
def keyed() -> InMemoryLake:
    """The restricted lake as ingest writes it."""
    found = InMemoryLake()
    rows = audit(AUDIT_KEYS.pseudonyms(hidden("A3", "A1", "A2")).tolist(), [1, 2, 1])
    found.write(AUDIT, JULY, rows, recorded_at=EARLY, facts={GENERATION: "1.1"})
    return found


def test_the_audit_keys_tell_whose_row_is_whose(keyed: InMemoryLake) -> None:
    found = LakeAudit(keyed, CONTRACT, LATE, Keyed(ACCOUNTS, AUDIT_KEYS)).of(JULY, hidden("A1", "A2", "A9"))
    assert (found.columns["sex"][:2].tolist(), found.known.tolist()) == ([2, 1], [True, True, False])


@pytest.mark.parametrize("guessed", [by_name, Keyed(ACCOUNTS, ACCOUNTS), Keyed(AUDIT_KEYS, ACCOUNTS)])
def test_who_has_lake_and_restricted_table_but_not_the_audit_keys_finds_nobody(keyed: InMemoryLake, guessed: Join) -> None:
    assert not LakeAudit(keyed, CONTRACT, LATE, guessed).of(JULY, hidden("A1", "A2", "A3")).known.any()


def test_an_audit_table_under_older_keys_is_not_taken_for_one_of_strangers(keyed: InMemoryLake) -> None:
    for later in (Keyed(ring("ab"), AUDIT_KEYS), Keyed(ACCOUNTS, ring("zy"))):
        with pytest.raises(Integrity, match="not stand under the newest keys"):
            LakeAudit(keyed, CONTRACT, LATE, later).of(JULY, hidden("A1"))


def test_a_restatement_counts_from_when_it_was_known(lake: InMemoryLake) -> None:
    lake.write(AUDIT, JULY, audit(["A1"], [1]), recorded_at=LATE)
    names = np.array(["A1"])
    then, now = (LakeAudit(lake, CONTRACT, known_at, by_name).of(JULY, names) for known_at in (EARLY, LATE))
    assert (then.columns["sex"][0], now.columns["sex"][0]) == (2, 1)
    assert (then.source["version"], now.source["version"]) == (1, 2)


def test_a_month_without_audit_columns_is_not_guessed(lake: InMemoryLake) -> None:
    with pytest.raises(NotFound, match="2005-06"):
        LakeAudit(lake, CONTRACT, LATE, by_name).of(Month(2005, 6), np.array(["A1"]))


def test_an_account_with_two_rows_is_refused() -> None:
    lake = InMemoryLake()
    lake.write(AUDIT, JULY, audit(["A1", "A1"], [1, 2]), recorded_at=EARLY)
    with pytest.raises(Integrity, match="twice"):
        LakeAudit(lake, CONTRACT, LATE, by_name).of(JULY, np.array(["A1"]))


def test_the_lake_that_training_reads_has_no_place_for_an_audit_column() -> None:
    tables = lake_schemas(CONTRACT)
    assert AUDIT not in tables
    assert not {"sex", "education", "marriage", "age"} & {name for schema in tables.values() for name in schema.names}


# Who may hold the restricted lake, or the door to it: ingest fills it, wiring hands it over, the fairness step asks for it.
HOLDERS = {
    "restricted": {
        "pipelines/wiring/data.py intake",
        "pipelines/wiring/data.py audit_table",
        "pipelines/wiring/data.py rekey_audit",
        "pipelines/ingest.py _audit",
    },
    "audit_keys": {
        "pipelines/wiring/data.py intake",
        "pipelines/wiring/data.py audit_table",
        "pipelines/ingest.py _audit",
        "pipelines/wiring/data.py rekey_audit",
        "pipelines/fairness/audit.py __call__",
    },
    "audit_table": {
        "pipelines/fairness/step.py report_on",
        "pipelines/fairness/step.py mix_of",
        "pipelines/fairness/step.py segments_of",
    },
}


def holders(source: str, where: str, attribute: str) -> Iterator[str]:
    """Every function that reads `<something>.<attribute>`, by file and name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(inner, ast.Attribute) and inner.attr == attribute for inner in ast.walk(node)
        ):
            yield f"{where} {node.name}"


def tree() -> Iterator[tuple[str, str]]:
    for package in ("models", "monitoring", "pipelines", "serving"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


@pytest.mark.parametrize("attribute", HOLDERS)
def test_nobody_else_holds_the_restricted_lake_or_the_door_to_it(attribute: str) -> None:
    found = {holder for where, source in tree() for holder in holders(source, where, attribute)}
    assert found == HOLDERS[attribute]


def test_a_trainer_that_reached_for_the_restricted_lake_would_be_found() -> None:
    planted = "def search(platform, cohorts):\n    return develop(platform.use_case, platform.restricted)\n"
    assert list(holders(planted, "pipelines/steps.py", "restricted")) == ["pipelines/steps.py search"]
