"""Made-up records of a replay, for what is told about one."""

from pipelines.replay.story import Event, Reading, ReplayMonth, ReplayResult, Score


def coded(
    *,
    auc: float = 0.88,
    never: float = 0.88,
    best: float | None = None,
    brier: float = 0.07,
    never_brier: float = 0.08,
    best_brier: float = 0.06,
    bad_rate: float = 0.14,
    definition: int = 1,
) -> Reading:
    return Reading(
        definition=definition,
        rule="behind",
        bad_rate=bad_rate,
        champion=Score(predicted=0.14, auc=auc, brier=brier),
        never=Score(predicted=0.13, auc=never, brier=never_brier),
        best=None if best is None else Score(predicted=0.14, auc=best, brier=best_brier),
    )


def comparable(*, auc: float = 0.88, bad_rate: float = 0.14) -> Reading:
    return coded(auc=auc, never=auc, bad_rate=bad_rate, definition=2)


def month(name: str, *, version: int = 1, coded: Reading | None = None, comparable: Reading | None = None) -> ReplayMonth:
    return ReplayMonth(
        month=name,
        scored_on=f"{name}-28",
        accounts=1_000,
        version=version,
        psi=0.02,
        psi_input="bill_0",
        level="green",
        sentence="Nothing <moved>.",
        alerts=("One & two.",),
        coded=coded,
        comparable=comparable,
        note="" if coded else f"Outcomes of {name} mature later.",
    )


def result(*months: ReplayMonth, events: tuple[Event, ...] = (), shifted_from: str = "", noticed_on: str = "") -> ReplayResult:
    return ReplayResult(
        scenario="toy",
        title="A toy",
        data=("Made up.",),
        outcome_delay=1,
        shifted_from=shifted_from,
        months=months,
        events=events,
        noticed_on=noticed_on,
        noticed_by="It fell." if noticed_on else "",
        asides=(),
        seconds={"train": 30.0, "score over HTTP": 10.0},
    )
