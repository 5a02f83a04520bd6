"""What "bad" means is a person's decision: recorded in the ledger, then applied to every outcome that it can read."""

from collections.abc import Callable
from dataclasses import dataclass

from models.clock import Clock
from models.contract import Array, Columns, Role
from models.errors import NotFound
from models.governance.answerable import answerable
from models.governance.ledger import Event, Hold, Ledger, accepted_definition, open_holds
from models.lake import BAD, OUTCOMES, Lake, PartitionVersion
from models.outcomes import OutcomeDefinition
from models.usecase import UseCase
from pipelines.holds import Holds


@dataclass(frozen=True)
class Acceptance:
    """What a person's acceptance changed; both empty if it was in force already and no hold was open."""

    version: int
    released: tuple[Hold, ...]
    restated: tuple[PartitionVersion, ...]


def accept_definition(
    use_case: UseCase,
    lake: Lake,
    ledger: Ledger,
    clock: Clock,
    *,
    version: int,
    by: str,
    reason: str,
    progress: Callable[[str], None],
) -> Acceptance:
    """Accept a definition version for every coding that it can read, release the holds about these codings, restate outcomes.

    Accepting the version that is in force releases its holds and restates nothing. Holds about inputs stay: they have an
    acceptance of their own, in `holds.py`. The ledger comes first: if the restatement is killed, doing it again completes it.
    Raises `InputRefused` without a name or a reason, `NotFound` for an unknown version.
    """
    definition = _definition(use_case, version)
    by, reason = answerable(by, reason)
    entries = ledger.entries(use_case.name)
    covered = tuple(hold for hold in open_holds(entries) if hold.coding in definition.codings)
    in_force = {accepted_definition(entries, use_case.as_coded, coding) for coding in definition.codings}
    if covered or in_force != {version}:
        facts = {"version": version, "rule": definition.rule, "codings": sorted(definition.codings), "reason": reason}
        ledger.append(Event.DEFINITION_ACCEPTED, model=use_case.name, actor=by, at=clock.now(), facts=facts)
        progress(f"definition {version} accepted by {by}: {definition.rule}")
    for hold in covered:
        Holds(use_case, ledger, clock).release(hold, by, reason)
        progress(f"{hold.month}: hold released: {hold.what}")
    return Acceptance(version, covered, tuple(_restate(use_case, lake, clock, definition, progress)))


def outcome_columns(columns: Columns, codes: Array, definition: OutcomeDefinition) -> Columns:
    """What is stored of an outcome: the key and the code as delivered, and what the definition makes of it."""
    return {**columns, BAD: definition.bad(codes)}


def _definition(use_case: UseCase, version: int) -> OutcomeDefinition:
    if version not in use_case.definitions:
        known = "; ".join(f"{number}: {found.rule}" for number, found in use_case.definitions.items())
        raise NotFound(f"{use_case.name} has no outcome definition {version}", hint=f"known: {known}")
    return use_case.definitions[version]


def _restate(
    use_case: UseCase, lake: Lake, clock: Clock, definition: OutcomeDefinition, progress: Callable[[str], None]
) -> list[PartitionVersion]:
    key, (outcome,) = use_case.contract.key, use_case.contract.named(Role.OUTCOME)
    restated = []
    for known in lake.versions(OUTCOMES):
        if known.facts["coding"] not in definition.codings or known.facts["definition_version"] == str(definition.version):
            continue
        columns = lake.read([known], [key, outcome])
        facts = {**known.facts, "definition_version": str(definition.version)}
        contents = outcome_columns(columns, columns[outcome], definition)
        restated.append(lake.write(OUTCOMES, known.month, contents, recorded_at=clock.now(), facts=facts))
        progress(f"{known.month}: outcomes restated, {contents[BAD].mean():.1%} bad")
    return restated
