"""From the source into the lake, month by month: validated, versioned, and only what was known.

Snapshots and outcomes go to the lake; audit columns go to the restricted lake, which no trainer or scorer is given. What
the lake already has is left alone, so a run can be repeated, and a killed one completed, by running it again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from models.clock import Clock, Month, end_of_day
from models.contract import Array, Columns, Role
from models.errors import BatchRejected, InputRefused
from models.governance.ledger import Hold, Ledger, accepted_definition
from models.governance.pseudonyms import Keyring, generations, masked
from models.lake import AUDIT, GENERATION, OUTCOMES, SNAPSHOTS, Lake, PartitionVersion, content_digest
from models.usecase import Cohort, Source, UseCase
from pipelines.arrivals import hidden, outcome_facts, same
from pipelines.batches import Batch, Ruling, Stored, Verdict, in_key_order
from pipelines.definitions import outcome_columns
from pipelines.freshness import ensure_known, missing
from pipelines.holds import Holds
from pipelines.measures import HISTORY
from pipelines.restoring import restore
from pipelines.validation import Expectations, Quarantine, judge


@dataclass(frozen=True)
class Intake:
    """Everything outside that ingest needs."""

    lake: Lake
    restricted: Lake
    expectations: Expectations
    quarantine: Quarantine
    ledger: Ledger
    clock: Clock
    accounts: Keyring  # hides the ids of what is taken in
    audit_keys: Keyring  # hides the pseudonyms again, where audit columns stand beside them
    recorded: Callable[[], Sequence[PartitionVersion]] = tuple  # what models were made of: the lake must have it
    taken: Mapping[tuple[str, Month], int] = field(default_factory=dict)  # numbers that are not given away again


@dataclass(frozen=True)
class IngestReport:
    """What one run did. `holds` were opened by it; `docs` is where the validation's pages start, empty if nothing was checked.

    `restored` and `lost` were gone from the lake: the former are back as they were recorded, of the latter only a backup is left.
    """

    written: tuple[PartitionVersion, ...] = ()
    unchanged: int = 0
    holds: tuple[Hold, ...] = ()
    docs: str = ""
    restored: tuple[PartitionVersion, ...] = ()
    lost: tuple[PartitionVersion, ...] = ()


@dataclass(frozen=True)
class _Delivery:
    """A batch, the lake it is for, and the facts that are stored with it."""

    batch: Batch
    lake: Lake
    facts: dict[str, str]


def ingest(use_case: UseCase, source: Source, intake: Intake, *, as_of: date, progress: Callable[[str], None]) -> IngestReport:
    """Every month that the source has up to the end of `as_of`, oldest first.

    A delivery that is due and has not come opens a hold, before anything is written; one that has come since releases its
    own. Raises `InputRefused` for a day that is out of reach, `BatchRejected` at the first bad batch: it is in quarantine,
    and neither it nor anything after it is in the lake.
    """
    now = intake.clock.now()
    if as_of > now.date():
        raise InputRefused(f"{as_of} has not come yet", hint="ingest as of today, or of a day before")
    ensure_known(use_case, source, intake.lake, as_of)
    recorded = intake.recorded()
    found = restore(use_case, source, intake.lake, intake.accounts, recorded, as_of=as_of, progress=progress)
    intake = replace(intake, taken=_taken(recorded))
    holds = _missed(use_case, intake, SNAPSHOTS, missing(source, intake.lake, as_of, now), progress)
    reports = [
        ingest_month(use_case, source, intake, month=month, as_of=as_of, progress=progress)
        for month in source.months()
        if month.last_day <= as_of
    ]
    written = tuple(part for report in reports for part in report.written)
    holds += [hold for report in reports for hold in report.holds]
    Holds(use_case, intake.ledger, intake.clock).settle(intake.lake)
    unchanged = sum(report.unchanged for report in reports)
    docs = intake.expectations.publish() if written else ""
    return IngestReport(written, unchanged, tuple(holds), docs, found.back, found.lost)


def _taken(recorded: Sequence[PartitionVersion]) -> dict[tuple[str, Month], int]:
    """The largest number that a lineage names, by table and month."""
    return {(part.table, part.month): part.version for part in sorted(recorded, key=lambda part: part.version)}


def ingest_month(
    use_case: UseCase, source: Source, intake: Intake, *, month: Month, as_of: date, progress: Callable[[str], None]
) -> IngestReport:
    """One cohort: its snapshot, its audit columns and, if it has matured, its outcome."""
    cohort = hidden(source.cohort(month, as_of), use_case.contract, intake.accounts)
    written: list[PartitionVersion] = []
    holds: list[Hold] = []
    deliveries = [partial(_snapshot, use_case, intake, cohort), partial(_audit, use_case, intake, cohort)]  # each in its turn
    if use_case.matured_at(month) <= as_of and cohort.outcome_codes is not None:
        deliveries.append(partial(_outcome, use_case, intake, cohort, cohort.outcome_codes))
    elif _overdue(use_case, intake, month, as_of):
        holds += _missed(use_case, intake, OUTCOMES, [month], progress)
    for delivered in deliveries:
        table, part, opened = _admit(use_case, intake, delivered())
        written += [part] if part else []
        holds += opened
        progress(f"{month}: {table} {f'{part.rows:,} rows, version {part.version}' if part else 'unchanged'}")
    return IngestReport(tuple(written), len(deliveries) - len(written), tuple(holds))


def _overdue(use_case: UseCase, intake: Intake, cohort: Month, as_of: date) -> bool:
    due = use_case.matured_at(cohort)
    over = due <= as_of and end_of_day(due) <= intake.clock.now()
    return over and not intake.lake.history(OUTCOMES, cohort)


def _missed(
    use_case: UseCase, intake: Intake, table: str, months: Sequence[Month], progress: Callable[[str], None]
) -> list[Hold]:
    holds = Holds(use_case, intake.ledger, intake.clock)
    for month in months:
        progress(f"{month}: {table} have not come")
    return [hold for month in months for hold in holds.missed(table, month)]


def _snapshot(use_case: UseCase, intake: Intake, cohort: Cohort) -> _Delivery:
    contract = use_case.contract.only(Role.KEY, Role.TIME, Role.INPUT)
    return _Delivery(Batch(use_case.name, SNAPSHOTS, cohort.month, contract, cohort.columns), intake.lake, {})


def _audit(use_case: UseCase, intake: Intake, cohort: Cohort) -> _Delivery:
    """In the order of the keyed hashes: in the snapshot's, the two files side by side would be joined without a key."""
    contract = use_case.contract.only(Role.KEY, Role.AUDIT)
    ring, key, pattern = intake.audit_keys, contract.key, contract[contract.key].pattern
    columns = {name: masked(ring, values, pattern) if name == key else values for name, values in cohort.audit.items()}
    rows = in_key_order(columns, key)
    alike = key in rows and same(cohort.columns[key], cohort.audit[key])
    accounts = rows[key] if alike else masked(ring, cohort.columns[key], pattern)
    batch = Batch(use_case.name, AUDIT, cohort.month, contract, rows, accounts=accounts)
    return _Delivery(batch, intake.restricted, {GENERATION: generations(intake.accounts, ring)})


def _outcome(use_case: UseCase, intake: Intake, cohort: Cohort, codes: Array) -> _Delivery:
    contract = use_case.contract.only(Role.KEY, Role.OUTCOME)
    (outcome,) = contract.named(Role.OUTCOME)
    version = accepted_definition(intake.ledger.entries(use_case.name), use_case.as_coded, cohort.coding)
    columns: Columns = {contract.key: cohort.columns[contract.key], outcome: codes}
    facts, definition = outcome_facts(use_case, cohort, version), use_case.definitions[version]
    batch = Batch(use_case.name, OUTCOMES, cohort.month, contract, columns, coding=cohort.coding, definition=definition)
    return _Delivery(batch, intake.lake, facts)


def _admit(use_case: UseCase, intake: Intake, delivery: _Delivery) -> tuple[str, PartitionVersion | None, list[Hold]]:
    """The table, the version written, None if the lake has it already, and the holds opened.

    A hold is on record before the rows are.
    """
    batch, lake = delivery.batch, delivery.lake
    newest = next(reversed(lake.history(batch.table, batch.month)), None)
    known = newest is not None and _has(lake, newest, batch)
    if newest and known and newest.facts == delivery.facts:
        return batch.table, None, []
    opened = [] if known or _checked_before(lake, batch) else _validated(use_case, intake, delivery, newest)
    columns = batch.columns
    if batch.definition:
        (outcome,) = batch.contract.named(Role.OUTCOME)
        columns = outcome_columns(columns, columns[outcome], batch.definition)
    now, after = intake.clock.now(), intake.taken.get((batch.table, batch.month), 0)
    part = lake.write(batch.table, batch.month, columns, recorded_at=now, facts=delivery.facts, after=after)
    return batch.table, part, opened


def _has(lake: Lake, part: PartitionVersion, batch: Batch) -> bool:
    """Whether a stored version holds exactly what was delivered, be it under older keys.

    An outcome is stored with what the definition made of it.
    """
    names, digest = batch.contract.names, content_digest(batch.columns)
    if part.digest == digest or batch.columns.keys() != set(names):
        return part.digest == digest
    return content_digest(lake.read([part], names)) == digest


def _checked_before(lake: Lake, batch: Batch) -> bool:
    """Audit columns rarely change and have no month in them: the same content is not checked again every month."""
    known = {part.digest for part in lake.versions(AUDIT)} if batch.table == AUDIT else set()
    return bool(known) and content_digest(batch.columns) in known


def _validated(use_case: UseCase, intake: Intake, delivery: _Delivery, newest: PartitionVersion | None) -> list[Hold]:
    batch = delivery.batch
    known = _batch_of(delivery, newest) if newest and batch.table != AUDIT else None
    verdict = judge(batch, _history(delivery), use_case.policy.monitoring, intake.expectations, known)
    if verdict.ruling is Ruling.QUARANTINE:
        raise _rejected(batch, verdict, intake)
    return Holds(use_case, intake.ledger, intake.clock).about(batch, verdict)


def _history(delivery: _Delivery) -> list[Batch]:
    before = [part for part in delivery.lake.versions(delivery.batch.table) if part.month < delivery.batch.month][-HISTORY:]
    return [_batch_of(delivery, part) for part in before]


def _batch_of(delivery: _Delivery, part: PartitionVersion) -> Batch:
    """What is in the lake, as it was delivered."""
    batch = delivery.batch
    return Batch(
        batch.use_case,
        batch.table,
        part.month,
        batch.contract,
        Stored(delivery.lake, part, batch.contract.names),
        coding=part.facts.get("coding", ""),
        definition=batch.definition,
        stored=part.rows,
    )


def _rejected(batch: Batch, verdict: Verdict, intake: Intake) -> BatchRejected:
    where = intake.quarantine.store(batch, verdict)
    docs = intake.expectations.publish()
    first, *others = [finding for finding in verdict.findings if finding.ruling is Ruling.QUARANTINE]
    more = f", and {len(others)} more" if others else ""
    about = f"{first.rule} of {first.column}" if first.column else first.rule
    return BatchRejected(
        f"{batch.table} of {batch.month} went to quarantine: {about}: {first.observed}{more}",
        hint=f"read {where}{f' and {docs}' if docs else ''}; when the source has corrected it, run the ingest again",
    )
