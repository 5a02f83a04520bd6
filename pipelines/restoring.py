"""Files that somebody deleted from the lake: what the source still delivers unchanged is put back as it was recorded.

A partition that a model was made of has its number, its digest and its instant in the model's sealed lineage. Taking the
month in anew would give the same rows another instant, so that nobody could train as known then any more. What the source
no longer delivers is named, with the file that a backup must have.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from models.contract import Columns, Role
from models.governance.pseudonyms import Keyring
from models.lake import OUTCOMES, SNAPSHOTS, Lake, PartitionVersion, content_digest
from models.usecase import Cohort, Source, UseCase
from pipelines.arrivals import hidden, outcome_facts
from pipelines.definitions import outcome_columns


@dataclass(frozen=True)
class Restored:
    """`back` is in the lake again; `lost` is not, and only a backup has it."""

    back: tuple[PartitionVersion, ...] = ()
    lost: tuple[PartitionVersion, ...] = ()


def restore(
    use_case: UseCase,
    source: Source,
    lake: Lake,
    accounts: Keyring,
    recorded: Sequence[PartitionVersion],
    *,
    as_of: date,
    progress: Callable[[str], None],
) -> Restored:
    """Everything `recorded` that the lake no longer has. Done again, it finds nothing more to do."""
    back, lost = [], []
    for part in recorded:
        history = lake.history(part.table, part.month)
        if part.table not in (SNAPSHOTS, OUTCOMES) or part.version in {version.version for version in history}:
            continue  # under its number stands what was recorded, or what an earlier release gave the number to
        if again := _again(use_case, source, accounts, part, as_of, history):
            facts, columns = again
            back.append(replace(part, facts=facts))
            lake.restore(back[-1], columns)
            progress(f"{part.month}: {part.table} version {part.version} put back, as it was recorded")
        else:
            lost.append(part)
            progress(f"{part.month}: lost: {lake.path(part)}; the source no longer delivers it. Put it back from a backup")
    return Restored(tuple(back), tuple(lost))


def _again(
    use_case: UseCase, source: Source, accounts: Keyring, part: PartitionVersion, as_of: date, history: Sequence[PartitionVersion]
) -> tuple[dict[str, str], Columns] | None:
    """Facts and rows of this digest, if the source still delivers them, under the keys of whichever generation.

    Two definitions may make the same of a month: then the facts are those that no version in `history` has.
    """
    if part.month not in source.months():
        return None
    delivered, known = source.cohort(part.month, as_of), [version.facts for version in history if version.digest == part.digest]
    for generation in range(accounts.newest, 0, -1):
        ring = Keyring(accounts.keys[:generation], accounts.split)
        cohort = hidden(delivered, use_case.contract, ring)
        for facts, columns in _candidates(use_case, cohort, part.table):
            if facts not in known and content_digest(columns) == part.digest:
                return facts, columns
    return None


def _candidates(use_case: UseCase, cohort: Cohort, table: str) -> Iterator[tuple[dict[str, str], Columns]]:
    """A snapshot is what was delivered; an outcome is that under any definition that can read its codes."""
    if table == SNAPSHOTS:
        yield {}, cohort.columns
    elif cohort.outcome_codes is not None:
        key, (outcome,) = use_case.contract.key, use_case.contract.named(Role.OUTCOME)
        columns: Columns = {key: cohort.columns[key], outcome: cohort.outcome_codes}
        for definition in use_case.definitions.values():
            if cohort.coding in definition.codings:
                facts = outcome_facts(use_case, cohort, definition.version)
                yield facts, outcome_columns(columns, cohort.outcome_codes, definition)
