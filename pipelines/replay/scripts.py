"""The two scenarios of `make replay`, day by day."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from models import catalog
from models.clock import Month
from models.errors import NotFound
from pipelines.replay.ports import Acceptance, Day, Script
from pipelines.simulation import credit_cards
from pipelines.simulation.scenario import ConceptShift

PERSON = "Dana Demo (made up for the demonstration)"


def find(name: str) -> Script:
    if name not in SCRIPTS:
        raise NotFound(f"there is no scenario {name!r}", hint=f"known: {', '.join(SCRIPTS)}")
    return SCRIPTS[name]()


def real_2005() -> Script:
    """The real panel. Its September is coded otherwise than the months before; its October is a third definition."""
    use_case = catalog.find("credit_default")
    comment = "Status code 1 is new in September 2005; only code 2 and more means what it meant before."
    acceptance = Acceptance(2, PERSON, comment, inputs=(("2005-09", "status_0"),))
    return Script(
        name="2005",
        title="30,000 real accounts, July to September 2005",
        use_case=use_case,
        source=use_case.source(),
        days=[
            *month_ends([Month(2005, 7), Month(2005, 8), Month(2005, 9)]),
            Day(date(2005, 10, 3), acceptance=acceptance),
            Day(date(2005, 10, 31)),
        ],
        data=(
            "UCI “Default of credit card clients”: 30,000 accounts, read as monthly snapshots (Yeh & Lien 2009, CC BY 4.0).",
            "Nothing is simulated. Repayment status 1 is hardly used before September 2005 and frequent from then on.",
            "The outcome of September is the published label of October, a third definition.",
            "Who accepts definition 2 and the recoded status on 2005-10-03 is made up, and recorded as such.",
        ),
    )


def shift() -> Script:
    """Real accounts redrawn with shifts of a known size, see `pipelines/simulation/credit_cards.py`."""
    use_case, simulator = catalog.find(credit_cards.USE_CASE), credit_cards.simulator("shift")
    scenario = simulator.scenario
    scored = [month for month in scenario.calendar() if month.last_day >= use_case.first_as_of]
    last = scored[-1].plus(use_case.outcome_delay).last_day
    return Script(
        name="shift",
        title=scenario.title,
        use_case=use_case,
        source=simulator,
        days=[*month_ends(scored), Day(last)],
        data=(
            f"Each month {scenario.accounts:,} accounts are drawn from the real ones of May to July 2005 (seed {scenario.seed}).",
            "Outcomes are drawn afresh from a stated model fitted to the real ones: no model can remember them.",
            "So the best possible prediction is known; it is drawn in grey.",
            *(one.sentence() for one in scenario.shifts),
        ),
        simulated=scenario.name,
        shifted_from=str(min(one.ramp.start for one in scenario.of(ConceptShift))),
        truth=lambda month: simulator.truth(month).probability,
    )


def month_ends(months: Sequence[Month]) -> list[Day]:
    return [Day(month.last_day, month) for month in months]


SCRIPTS: Mapping[str, Callable[[], Script]] = {"2005": real_2005, "shift": shift}
