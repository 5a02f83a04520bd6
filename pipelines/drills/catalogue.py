"""The drills: what goes wrong from when on, and by when somebody must have been called. Sizes are stated here, and nowhere tuned.

A window is one month of production: scored on its last day, taken in, monitored and considered on the first of the next.
`begins` is the first window in which anything can be seen, counted from 1: outcomes of the first month are known in the second.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from models.clock import Month
from models.errors import NotFound
from pipelines.drills.injectors import deliveries, outages
from pipelines.drills.injectors.deliveries import Fault
from pipelines.simulation.scenario import ConceptShift, CovariateShift, LabelDelay, Ramp, Restatement, Scenario, Shift

BEFORE = Month(2005, 8)  # the last quiet month: scored and monitored, and shared by all drills
START = BEFORE.plus(1)
ACCOUNTS = 6_000  # a month
BASE = Scenario(
    name="drills",
    title="Simulated from real accounts; nothing shifts but what a drill shifts",
    first=Month(2005, 5),
    months=8,
    accounts=ACCOUNTS,
    seed=36,
)


class Weight(StrEnum):
    """How strongly the platform reacts, from the mildest. STOPPED: it refuses or holds something by itself, and says so."""

    WARNING = "warning"
    STOPPED = "stopped"
    PAGE = "page"

    @property
    def strong(self) -> bool:
        """Whether it keeps harm away, or calls somebody who can."""
        return self is not Weight.WARNING


@dataclass(frozen=True)
class Drill:
    """`within` counts windows from `begins` on, 0: nobody may be called. `sent`: how often each is sent, under new keys."""

    name: str
    title: str
    target: str
    begins: int = 1
    within: int = 1
    shifts: tuple[Shift, ...] = ()
    fault: Fault | None = None
    outage: Callable[[Path], AbstractContextManager[None]] | None = None
    sent: int = 1
    verified: bool = False  # whether `make verify` is run at the end of the window

    @property
    def windows(self) -> int:
        """Lived through, the ones before it begins included."""
        return self.begins + max(self.within, 1) - 1


INVARIANT = "first window"
THOUSANDTH = dict.fromkeys(("bill_0", "bill_1", "payment_0", "payment_1"), 1e-3)

_ALL = (
    Drill("quiet", "Nothing happens, for two months", "nobody is called", begins=2, within=0),
    Drill(
        "covariate-shift",
        "Customers with low limits come in: growing over three months to a shift of 1.2 standard deviations of log limit",
        "second window",
        within=2,
        shifts=(CovariateShift(Ramp(START, 3), {"credit limit": -1.2}),),
    ),
    Drill(
        "concept-drift",
        "The same accounts go bad for other reasons (the shift of the replay, at once)",
        "first matured window",
        begins=2,
        shifts=(ConceptShift(Ramp(START), {"months behind": -0.4, "bill growth": 0.9}),),
    ),
    Drill("label-delay", "Outcomes come two months late", INVARIANT, shifts=(LabelDelay(BEFORE, 2),)),
    Drill(
        "restatement",
        "3 % of a month's outcomes are corrected a month after they came",
        "first window after it",
        begins=2,
        shifts=(Restatement(BEFORE, 0.03),),
    ),
    Drill(
        "coding-change",
        "A quarter of the repayment status 0 is called 1 from now on",
        INVARIANT,
        fault=deliveries.recoded("status_0", 0, 1, 0.25),
    ),
    Drill("unit-change", "Bills and payments come in thousands of TWD", INVARIANT, fault=deliveries.scaled(THOUSANDTH)),
    Drill("nulls", "5 % of the payments are missing", INVARIANT, fault=deliveries.emptied("payment_0", 0.05)),
    Drill("stuck-upstream", "Last month's file comes again under the new month's name", INVARIANT, fault=deliveries.stuck),
    Drill("duplicate-batch", "Every row of the month's delivery comes twice", INVARIANT, fault=deliveries.doubled),
    Drill("duplicate-requests", "The month's accounts are sent to the service twice, under new keys", INVARIANT, sent=2),
    Drill(
        "slow-database",
        "The decision log's database makes every commit wait two seconds",
        INVARIANT,
        outage=outages.slow_database,
    ),
    Drill("dead-database", "The decision log's database takes nothing", INVARIANT, outage=outages.dead_database),
    Drill(
        "tampered-bundle",
        "One byte of the released graph is another",
        INVARIANT,
        outage=outages.tampered_bundle,
        verified=True,
    ),
)

DRILLS: Mapping[str, Drill] = {drill.name: drill for drill in _ALL}


QUIET_WINDOWS = "quiet-windows"
KNOWN = (*DRILLS, QUIET_WINDOWS)


def find(names: str) -> list[str]:
    """Of names with commas between; all if there is none. Raises `NotFound`."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in KNOWN]:
        raise NotFound(f"there is no drill {unknown[0]!r}", hint=f"known: {', '.join(KNOWN)}")
    return wanted or list(KNOWN)
