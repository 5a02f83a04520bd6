"""What a replay leaves behind, as plain records, and the few sentences that they come to. All sentences are computed."""

from collections.abc import Mapping, Sequence
from typing import Literal

from models.clock import Month
from models.policy import Frozen

EventKind = Literal["promoted", "kept", "refused", "held", "accepted"]
NOTICEABLE = 0.005  # bad rates closer than this are the same thing, read twice


class Score(Frozen):
    """One model on one month's accounts, under one reading of the outcome."""

    predicted: float  # mean probability
    auc: float | None
    brier: float


class Reading(Frozen):
    """The month under one outcome definition. `best` is the true probability, which only a simulator knows."""

    definition: int
    rule: str
    bad_rate: float
    champion: Score
    never: Score
    best: Score | None = None


class ReplayMonth(Frozen):
    """One cohort: who scored it, how far it had moved, and, once its outcomes matured, how good the scores were."""

    month: str
    scored_on: str
    accounts: int
    version: int  # of the champion that scored it
    psi: float | None
    psi_input: str
    level: str  # of the last report on the month
    sentence: str
    alerts: tuple[str, ...]
    coded: Reading | None  # outcome codes at face value; None while immature
    comparable: Reading | None
    note: str  # why a reading is missing


class Event(Frozen):
    """Something that changed, or was kept from changing, what decides. `by` is a person or a job."""

    on: str  # ISO date
    kind: EventKind
    sentence: str
    by: str = ""
    version: int | None = None


class ReplayResult(Frozen):
    scenario: str
    title: str
    data: tuple[str, ...]  # what the months are made of, in sentences
    outcome_delay: int  # months until an outcome is known
    shifted_from: str  # first month with a concept shift; "" where the truth is not known
    months: tuple[ReplayMonth, ...]
    events: tuple[Event, ...]
    noticed_on: str  # first day on which an alarm or a hold was raised; "" if none
    noticed_by: str  # the sentence that it was raised with
    asides: tuple[str, ...]  # what was computed beside the loop, e.g. how a later model would have done
    seconds: Mapping[str, float]  # by step

    def best_known(self) -> bool:
        return any(month.coded and month.coded.best for month in self.months)


def reading(month: ReplayMonth) -> Reading | None:
    """The reading under which months can be compared; as coded where there is no other."""
    return month.comparable or month.coded


def retrained_months(result: ReplayResult) -> list[ReplayMonth]:
    """Matured months that a later model than the first one scored."""
    first = result.months[0].version if result.months else 0
    return [month for month in result.months if month.coded and month.version != first]


def won_back(result: ReplayResult) -> tuple[float, float] | None:
    """How much of the gap in AUC and in Brier score retraining closed, over the months that a retrained model scored.

    The gap is what the never-retrained model lacks against the true probability; None where the truth is not known,
    nothing was retrained, or there is no gap.
    """
    sums = [0.0, 0.0, 0.0, 0.0]
    for month in retrained_months(result):
        if (found := month.coded) is None or found.best is None:
            continue
        if found.best.auc is None or found.never.auc is None or found.champion.auc is None:
            continue
        gains = (found.champion.auc - found.never.auc, found.never.brier - found.champion.brier)
        losses = (found.best.auc - found.never.auc, found.never.brier - found.best.brier)
        sums = [total + part for total, part in zip(sums, gains + losses, strict=True)]
    if sums[2] <= 0 or sums[3] <= 0:
        return None
    return sums[0] / sums[2], sums[1] / sums[3]


def headline(result: ReplayResult) -> str:
    return _shift_headline(result) if result.best_known() else _coding_headline(result)


def _shift_headline(result: ReplayResult) -> str:
    shares = won_back(result)
    if shares is None:
        return "Nothing was retrained, so nothing was won back."
    auc, brier = shares
    if auc <= 0:
        return "Retraining closed nothing of the gap: the retrained champions order accounts no better than the first model."
    return f"Retraining closed {auc:.0%} of the gap to the best possible AUC, and {brier:.0%} of the gap in Brier score."


def _coding_headline(result: ReplayResult) -> str:
    fallen = max(filter(differs, result.months), key=_fall, default=None)
    held = any(event.kind == "held" for event in result.events)
    if fallen is None or fallen.coded is None or fallen.comparable is None:
        return "Retraining was held for a person." if held else "No month gave a reason to retrain."
    coded, comparable = fallen.coded.champion.auc, fallen.comparable.champion.auc
    waited = "; retraining waited for a person" if held else ""
    return f"The AUC fell because the coding changed: {points(coded)} as coded, {points(comparable)} comparable{waited}."


def _fall(month: ReplayMonth) -> float:
    """How much of the AUC the coding alone takes away."""
    assert month.coded
    assert month.comparable
    return (month.comparable.champion.auc or 0.0) - (month.coded.champion.auc or 0.0)


def differs(month: ReplayMonth) -> bool:
    """Whether the outcomes read at face value are others than the comparable ones."""
    return bool(month.coded and month.comparable and abs(month.coded.bad_rate - month.comparable.bad_rate) > NOTICEABLE)


def subline(result: ReplayResult) -> str:
    """When it was noticed, and what became of it."""
    parts = []
    if result.noticed_on:
        parts.append(f"Noticed on {result.noticed_on}{_lag(result)}.")
    promoted = [event for event in result.events if event.kind == "promoted"]
    if promoted:
        parts.append(f"{len(promoted)} model{'s' * (len(promoted) > 1)} promoted, {_count(result, 'held')} held.")
    return " ".join(parts)


def _lag(result: ReplayResult) -> str:
    if not result.shifted_from:
        return ""
    start = Month.parse(result.shifted_from)
    noticed = Month.parse(result.noticed_on[:7])
    months = (noticed.year - start.year) * 12 + noticed.number - start.number
    if months < 0:
        return f", before the concept shift of {start} began"
    scored = f", {_months(months)} after the first shifted accounts were scored"
    return f"{scored}, {_months(months - result.outcome_delay)} after their outcomes were known"


def _months(number: int) -> str:
    return f"{number} month{'s' * (number != 1)}"


def _count(result: ReplayResult, kind: EventKind) -> str:
    found = sum(event.kind == kind for event in result.events)
    noun = {"held": "retraining"}.get(kind, kind)
    return f"{found or 'no'} {noun}{'s' * (found > 1)}"


def figures(result: ReplayResult) -> list[tuple[str, str, str]]:
    """The page's tiles: a label, a number, and what it is compared with."""
    scored = ("Accounts scored", f"{sum(m.accounts for m in result.months):,}", f"{len(result.months)} months, over HTTP")
    time = ("Time", _minutes(sum(result.seconds.values())), f"most of it: {_slowest(result.seconds)}")
    return [*_of_the_fall(result), *_of_the_end(result), scored, time]


def _of_the_fall(result: ReplayResult) -> list[tuple[str, str, str]]:
    """Where outcomes can be read in two ways: the month in which that matters most."""
    month = max(filter(differs, result.months), key=_fall, default=None)
    if month is None or not month.coded or not month.comparable:
        return []
    coded, like = month.coded, month.comparable
    return [
        (f"AUC, {month.month}", points(like.champion.auc), f"comparable; as coded {points(coded.champion.auc)}"),
        (f"Brier score, {month.month}", points(like.champion.brier), f"comparable; as coded {points(coded.champion.brier)}"),
        (f"Bad rate, {month.month}", f"{like.bad_rate:.1%}", f"comparable; as coded {coded.bad_rate:.1%}"),
    ]


def _of_the_end(result: ReplayResult) -> list[tuple[str, str, str]]:
    """Where they can be read in one way: the last matured month."""
    month = next((month for month in reversed(result.months) if month.coded), None)
    if any(differs(one) for one in result.months) or month is None or not (found := month.coded):
        return []
    best = (found.best.auc, found.best.brier) if found.best else (None, None)
    beside = [f", best possible {points(value)}" if found.best else "" for value in best]
    return [
        (f"AUC, {month.month}", points(found.champion.auc), f"never retrained {points(found.never.auc)}{beside[0]}"),
        (f"Brier score, {month.month}", points(found.champion.brier), f"never retrained {points(found.never.brier)}{beside[1]}"),
        (f"Bad rate, {month.month}", f"{found.bad_rate:.1%}", f"predicted {found.champion.predicted:.1%}"),
    ]


def points(value: float | None) -> str:
    """A share to three places without the leading zero; a dash where it is unknown."""
    return "–" if value is None else f"{value:.3f}".replace("0.", ".", 1)


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)}:{round(seconds % 60):02d} min" if seconds >= 60 else f"{seconds:.0f} s"


def _slowest(seconds: Mapping[str, float]) -> str:
    return max(seconds, key=lambda step: seconds[step], default="nothing")


def shares(seconds: Mapping[str, float]) -> Sequence[tuple[str, float, float]]:
    """Step, seconds and share of the whole, the slowest first."""
    whole = sum(seconds.values()) or 1.0
    return [(step, spent, spent / whole) for step, spent in sorted(seconds.items(), key=lambda item: -item[1])]
