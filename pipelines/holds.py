"""Holds: opened by ingest, released by a person who answers for it, or by the month that came after all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.clock import Clock, Month
from models.errors import NotFound
from models.governance.answerable import answerable
from models.governance.ledger import Entry, Event, Hold, Ledger, hold_of, open_holds
from models.lake import Lake
from models.usecase import UseCase
from pipelines.batches import Batch, Finding, Verdict
from pipelines.freshness import absence, arrived
from pipelines.measures import RESTATED

INGEST = "ingest"


@dataclass(frozen=True)
class Holds:
    """A use case's holds in the ledger."""

    use_case: UseCase
    ledger: Ledger
    clock: Clock

    def about(self, batch: Batch, verdict: Verdict) -> list[Hold]:
        """Open one hold for each column whose codes seem to mean something else than they did, and one for a restatement."""
        opened = [hold for finding in verdict.findings if finding.rule == RESTATED for hold in self._restated(batch, finding)]
        by_column: dict[str, list[Finding]] = {}
        for finding in verdict.findings:
            if finding.column:
                by_column.setdefault(finding.column, []).append(finding)
        month = batch.month.plus(self.use_case.outcome_delay) if batch.coding else batch.month
        for column, findings in by_column.items():
            facts = {
                "month": str(month),
                "what": f"the coding of {column} seems to have changed",
                "evidence": "; ".join(finding.observed for finding in findings),
                "coding": batch.coding,
                "column": column,
            }
            opened += self._open(facts)
        return opened

    def _restated(self, batch: Batch, finding: Finding) -> list[Hold]:
        """What a model was judged by, or made of, has changed under it."""
        what = f"the {batch.table} were restated"
        facts = {"month": str(batch.month), "what": what, "evidence": finding.observed, "coding": "", "column": ""}
        return self._open(facts)

    def missed(self, table: str, cohort: Month) -> list[Hold]:
        """Open a hold about a delivery that is due and has not come."""
        return self._open(absence(self.use_case, table, cohort))

    def settle(self, lake: Lake) -> None:
        """Release the holds about deliveries that have come since."""
        for facts in arrived(self.use_case, lake, open_holds(self.ledger.entries(self.use_case.name))):
            released = {"month": facts["month"], "what": facts["what"], "column": "", "reason": "they have come"}
            self._record(Event.HOLD_RELEASED, INGEST, released)

    def release(self, hold: Hold, by: str, reason: str) -> None:
        facts = {"month": hold.month, "what": hold.what, "column": hold.column, "reason": reason}
        self._record(Event.HOLD_RELEASED, by, facts)

    def _open(self, facts: Mapping[str, str]) -> list[Hold]:
        """A hold that was opened before for the same evidence is not opened again, released or not."""
        before = [entry.facts for entry in self.ledger.entries(self.use_case.name) if entry.event is Event.HOLD_OPENED]
        if facts in [dict(known) for known in before]:
            return []
        return [hold_of(self._record(Event.HOLD_OPENED, INGEST, facts))]

    def _record(self, event: Event, actor: str, facts: Mapping[str, str]) -> Entry:
        return self.ledger.append(event, model=self.use_case.name, actor=actor, at=self.clock.now(), facts=facts)


def accept_input(holds: Holds, *, month: str, column: str, by: str, reason: str, progress: Callable[[str], None]) -> list[Hold]:
    """A person takes over what an input means from a month on, or that a month stays missing: its holds are released.

    An empty `column` means every input of the month. Accepting again changes nothing. Outcomes are not accepted here.
    Raises `InputRefused` without a name or a reason, `NotFound` if no such hold was ever opened.
    """
    by, reason = answerable(by, reason)
    entries = holds.ledger.entries(holds.use_case.name)

    def meant(hold: Hold) -> bool:
        return not hold.coding and hold.month == month and column in ("", hold.column)

    if not any(meant(hold_of(entry)) for entry in entries if entry.event is Event.HOLD_OPENED):
        what = f"{column} in {month}" if column else f"the inputs of {month}"
        raise NotFound(f"there is no hold about {what}", hint="make holds lists what waits, and what releases it")
    released = [hold for hold in open_holds(entries) if meant(hold)]
    for hold in released:
        holds.release(hold, by, reason)
        progress(f"{hold.month}: hold released: {hold.what}")
    return released
