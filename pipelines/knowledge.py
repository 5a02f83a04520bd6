"""What may be known when a model is trained: the business up to a day, the records up to an instant.

Both bounds hold for everything: partitions, accepted definitions, holds and their releases. So a training can be asked
for as it could have been done then, whatever has been restated or decided since.
"""

from dataclasses import dataclass
from datetime import date, datetime

from models.clock import Month
from models.errors import Held
from models.governance.ledger import Entry, Hold, Ledger, accepted_definition, known, open_holds
from models.lake import Lake, PartitionVersion
from models.splits import plan
from models.usecase import UseCase
from pipelines.assessment import Cohorts
from pipelines.dataset import load, matured_outcomes

FEWEST_COHORTS = 2  # one to develop on, one out of time


@dataclass(frozen=True)
class Knowledge:
    """As of the end of `as_of`, as known at `known_at`."""

    use_case: UseCase
    lake: Lake
    ledger: Ledger
    as_of: date
    known_at: datetime

    def holds(self) -> list[Hold]:
        """Those that were open, about months that are over."""
        return [hold for hold in open_holds(self._entries()) if Month.parse(hold.month).last_day <= self.as_of]

    def outcomes(self) -> list[PartitionVersion]:
        """The matured ones, oldest month first."""
        return matured_outcomes(self.use_case, self.lake, self.as_of, self.known_at)

    def comparable_months(self) -> tuple[list[Month], tuple[str, ...]]:
        """The matured cohorts of the newest coding that has enough of them to train, and those that are left out for it.

        Outcomes of two codings cannot be learnt together. Nothing is left out in silence: the holds come first.
        """
        outcomes = self.outcomes()
        codings = list(dict.fromkeys(part.facts["coding"] for part in reversed(outcomes)))
        by_coding = {coding: [part.month for part in outcomes if part.facts["coding"] == coding] for coding in codings}
        enough = next((months for months in by_coding.values() if len(months) >= FEWEST_COHORTS), [])
        chosen = enough or [part.month for part in outcomes]
        return chosen, tuple(str(part.month) for part in outcomes if part.month not in chosen)

    def definition(self) -> int:
        """The outcome definition in force for the cohorts that would be trained on; 0 if there are none."""
        months, _ = self.comparable_months()
        coding = next((part.facts["coding"] for part in self.outcomes() if part.month in months), None)
        return accepted_definition(self._entries(), self.use_case.as_coded, coding) if coding else 0

    def cohorts(self) -> Cohorts:
        """Raises `Held` while a hold is open, `NotEnoughData` below two matured cohorts or if one cannot be read whole."""
        if holds := self.holds():
            raise Held(
                "; ".join(f"{hold.what} ({hold.month})" for hold in holds),
                hint=f"look at the Data Docs, then: {'; '.join(dict.fromkeys(hold.command for hold in holds))}",
            )
        months, left_out = self.comparable_months()
        planned = plan(self.use_case, months, self.as_of)
        whole, before, judged = (
            load(self.use_case, self.lake, chosen, self.as_of, self.known_at)
            for chosen in ((*planned.development, planned.out_of_time), planned.development, (planned.out_of_time,))
        )
        return Cohorts(self.as_of, planned, before, judged, whole, left_out)

    def _entries(self) -> list[Entry]:
        return known(self.ledger.entries(self.use_case.name), self.known_at)
