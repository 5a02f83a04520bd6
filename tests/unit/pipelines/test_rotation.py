"""Keys rotate in the life of a home, and every join holds."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from models.adapters.lifted_lake import LiftedLake
from models.clock import Month
from models.credit_default import USE_CASE
from models.errors import BatchRejected
from models.governance.pseudonyms import Keyring, generation_of
from models.lake import AUDIT, GENERATION, OUTCOMES, SNAPSHOTS
from models.splits import held_out
from models.usecase import Cohort
from monitoring.performance import match
from pipelines.dataset import Dataset, load
from pipelines.fairness.audit import Keyed, LakeAudit
from pipelines.rotation import rekey
from tests.fakes.source import AUGUST, JUNE, MAY, SomeAccounts
from tests.intake import Bank
from tests.rings import ring

KEY = USE_CASE.contract.key
FIRST, SECOND = (ring("a"), ring("z")), (ring("ab"), ring("zy"))
LATER = datetime(2006, 1, 1, tzinfo=UTC)


def lived(*, rotated: bool) -> Bank:
    """Two months under the first keys; perhaps a rotation; then two more."""
    bank = Bank(source=SomeAccounts(step=100))
    bank.ingest(JUNE.last_day)
    if rotated:
        bank.accounts, bank.audit_keys = SECOND
        rekey(bank.lake, bank.restricted, USE_CASE.contract, *SECOND, bank.clock.now())
    bank.ingest(AUGUST.last_day)
    return bank


@pytest.fixture(scope="module")
def bank() -> Bank:
    return lived(rotated=True)


def read(bank: Bank, months: tuple[Month, ...] = (MAY, JUNE)) -> Dataset:
    lifted = LiftedLake(bank.lake, KEY, bank.accounts)
    return load(USE_CASE, lifted, months, AUGUST.last_day, LATER)


def test_a_rotation_is_no_restatement(bank: Bank) -> None:
    for table in (SNAPSHOTS, OUTCOMES):
        assert [part.version for part in bank.lake.versions(table)] == [1] * len(bank.months(table))
    assert [part.version for part in bank.restricted.versions(AUDIT)] == [2, 2, 1, 1]


def test_months_of_both_generations_are_stored_side_by_side(bank: Bank) -> None:
    stored = [bank.lake.read([part], [KEY])[KEY][0] for part in bank.lake.versions(SNAPSHOTS)]
    assert [generation_of(name) for name in stored] == [1, 1, 2, 2]


def test_snapshots_and_outcomes_of_different_generations_join(bank: Bank) -> None:
    """June's outcome came after the rotation, its snapshot before it."""
    whole = read(bank)
    assert whole.unlabelled == 0
    assert len(set(whole.accounts.tolist())) == len(whole.accounts) / 2


def test_what_a_model_learns_from_is_the_same_with_and_without_a_rotation(bank: Bank) -> None:
    """In the same order, on the same side of every split: a rebuild after a rotation makes the same model."""
    without = read(lived(rotated=False))
    rotated = read(bank)
    for name in USE_CASE.contract.inputs:
        assert np.array_equal(rotated.columns[name], without.columns[name])
    assert np.array_equal(rotated.bad, without.bad)
    assert np.array_equal(held_out(rotated.accounts), held_out(without.accounts))


def test_a_decision_meets_its_outcome_across_a_rotation(bank: Bank) -> None:
    account = bank.source.cohort(JUNE, AUGUST.last_day).columns[KEY][:1].tolist()[0]
    outcomes = LiftedLake(bank.lake, KEY, bank.accounts).read([p for p in bank.lake.versions(OUTCOMES) if p.month == JUNE])
    log = {KEY: SECOND[0].lifted(np.array([FIRST[0].pseudonym(account)])), "probability": np.array([0.1])}
    assert match(USE_CASE, log, outcomes).unmatched == 0


@pytest.mark.parametrize("month", [MAY, JUNE, AUGUST])
def test_audit_columns_are_joined_across_a_rotation(bank: Bank, month: Month) -> None:
    audit = LakeAudit(bank.restricted, USE_CASE.contract, LATER, Keyed(*SECOND))
    cohort = bank.source.cohort(month, AUGUST.last_day)
    found = audit.of(month, SECOND[0].pseudonyms(cohort.columns[KEY]))
    assert found.known.all()
    for name in ("sex", "age", "marriage", "education"):
        assert np.array_equal(found.columns[name], cohort.audit[name])


def test_rekeying_again_writes_nothing(bank: Bank) -> None:
    assert rekey(bank.lake, bank.restricted, USE_CASE.contract, *SECOND, LATER) == []


def test_an_ingest_after_a_rotation_finds_the_audit_rows_as_it_would_write_them() -> None:
    bank = lived(rotated=True)
    before = bank.restricted.versions(AUDIT)
    bank.ingest(AUGUST.last_day)
    assert bank.restricted.versions(AUDIT) == before


def test_a_rotation_that_was_killed_before_the_audit_columns_followed_is_completed_by_the_ingest() -> None:
    bank = Bank(source=SomeAccounts(step=100))
    bank.ingest(JUNE.last_day)
    bank.accounts, bank.audit_keys = SECOND
    bank.ingest(JUNE.last_day)
    assert {part.facts[GENERATION] for part in bank.restricted.versions(AUDIT)} == {"2.2"}
    assert [part.version for part in bank.lake.versions(SNAPSHOTS)] == [1, 1]


def test_the_leaked_old_keys_find_nobody_in_what_was_stored_since(bank: Bank) -> None:
    ids = bank.source.cohort(AUGUST, AUGUST.last_day).columns[KEY]
    leaked: Keyring = FIRST[0]
    (august,) = [part for part in bank.lake.versions(SNAPSHOTS) if part.month == AUGUST]
    stored = [name[5:] for name in bank.lake.read([august], [KEY])[KEY].tolist()]
    assert not set(stored) & {leaked.pseudonym(name)[5:] for name in ids.tolist()}


def test_no_id_is_stored_anywhere(bank: Bank) -> None:
    ids = set(bank.source.cohort(MAY, AUGUST.last_day).columns[KEY].tolist())
    for lake, tables in ((bank.lake, (SNAPSHOTS, OUTCOMES)), (bank.restricted, (AUDIT,))):
        for table in tables:
            for part in lake.versions(table):
                assert not ids & set(lake.read([part], [KEY])[KEY].tolist())


@pytest.mark.parametrize("month", [MAY, JUNE, AUGUST])
def test_the_order_of_the_audit_rows_does_not_tell_whose_they_are(bank: Bank, month: Month) -> None:
    """Side by side, lake and restricted table would be joined without a key. Two months were written by a rotation."""
    (part,) = [part for part in bank.restricted.versions(AUDIT) if part.month == month]
    for version in bank.restricted.history(AUDIT, month):
        keys = bank.restricted.read([version], [KEY])[KEY].tolist()
        assert keys == sorted(keys)
    as_delivered = bank.source.cohort(month, AUGUST.last_day).audit["age"]
    assert bank.restricted.read([part], ["age"])["age"].tolist() != as_delivered.tolist()


def test_lake_and_restricted_table_have_no_key_in_common(bank: Bank) -> None:
    may = [lake.read(lake.versions(table)[:1], [KEY])[KEY] for lake, table in ((bank.lake, SNAPSHOTS), (bank.restricted, AUDIT))]
    assert not set(may[0].tolist()) & set(may[1].tolist())


def test_a_batch_with_an_unreadable_key_is_refused_and_shows_no_id() -> None:
    """The audit columns name the account as it is, the snapshot otherwise."""
    bank = Bank(source=SomeAccounts(step=100))

    def spelled_otherwise(cohort: Cohort) -> Cohort:
        keys = cohort.columns[KEY].astype("<U10")
        keys[0] = "A 31337"
        return replace(cohort, columns={**cohort.columns, KEY: keys})

    bank.source.changes[MAY] = spelled_otherwise
    with pytest.raises(BatchRejected, match="same accounts"):
        bank.ingest(MAY.last_day)
    ((batch, _),) = bank.quarantine.kept
    assert batch.accounts is not None
    assert any(name.startswith("not a key") for name in batch.accounts.tolist())
    shown = {*batch.columns[KEY].tolist(), *batch.accounts.tolist()}
    assert not any("31337" in name for name in shown)
    assert not shown & set(bank.source.cohort(MAY, MAY.last_day).audit[KEY].tolist())
