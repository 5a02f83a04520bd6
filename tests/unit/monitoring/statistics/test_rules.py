import pytest

from models.credit_default import USE_CASE
from monitoring.drift import State
from monitoring.statistics.figures import MonthStatistics, Moved, Quality, Rate, SegmentFigures, SinceFirst, favourable
from monitoring.statistics.rules import examined
from monitoring.verdict import Level


def moved(state: State = "stable") -> Moved:
    return Moved(name="probability", psi=0.3, warn=0.1, alarm=0.25, state=state)


def rate(state: State = "stable") -> Rate:
    return Rate(value=0.71, reference=0.8, limit=0.05, state=state)


def segment(state: State, chosen: State = "stable") -> SegmentFigures:
    return SegmentFigures(
        name="current", rows=900, share=0.9, reference_share=0.8, score=moved(state), inputs=(), favourable=rate(chosen)
    )


def column(**rows: int) -> Quality:
    return Quality(**{"name": "bill_0", "rows": 1_000, "missing": 0, "below": 0, "above": 0, "unseen": 0} | rows)


QUIET = MonthStatistics(rows=1_000, quality=(column(),), distances=(), favourable=rate(), reasons=None, segments=())


def found(**changes: object) -> list[tuple[str, Level, str]]:
    return [(finding.kind, finding.level, finding.text) for finding in examined(QUIET.model_copy(update=changes))]


def test_nothing_is_said_of_a_quiet_month() -> None:
    assert found() == []


def test_a_single_row_without_a_value_is_red() -> None:
    assert found(quality=(column(missing=1),)) == [("no_value", Level.RED, "bill_0: 1 row (0.1 %) without a value.")]


@pytest.mark.parametrize("side", ["below", "above"])
def test_a_value_that_the_contract_forbids_is_red(side: str) -> None:
    ((kind, level, text),) = found(quality=(column(**{side: 2}),))
    assert (kind, level) == ("out_of_range", Level.RED)
    assert text == "bill_0: 2 rows (0.2 %) outside the range that the contract allows."


def test_a_segment_is_heard_where_the_whole_is_quiet() -> None:
    assert [each[:2] for each in found(segments=(segment("alarm"),))] == [("segment_shift", Level.AMBER)]
    assert found(segments=(segment("warn"), segment("insufficient"))) == []
    assert [each[0] for each in found(segments=(segment("stable", "warn"),))] == ["favourable_rate"]


def test_what_crept_away_from_the_first_approved_version_is_said() -> None:
    first = SinceFirst(version=1, bundle="a" * 64, score=moved("alarm"), inputs=())
    assert found(first=first)[0][2].startswith("Since version 1, the first approved, the score has shifted (PSI .30")
    assert found(first=first.model_copy(update={"score": moved("warn")})) == []


@pytest.mark.parametrize(
    ("kept", "rows", "state"),
    [
        (0.80, 30_000, "stable"),
        (0.74, 30_000, "warn"),
        (0.86, 30_000, "warn"),
        (0.745, 510, "stable"),
        (0.5, 499, "insufficient"),
    ],
)
def test_a_share_of_favourable_decisions_is_compared_with_what_chance_does(kept: float, rows: int, state: State) -> None:
    current = {"keep": round(kept * rows), "reduce": rows - round(kept * rows)}
    known = favourable(USE_CASE.policy, current, {"keep": 4_800, "review": 1_000, "reduce": 200}, family=4)
    assert known.state == state
    assert known.limit >= USE_CASE.policy.monitoring.favourable_rate


def test_a_reference_of_too_few_rows_says_nothing_about_favourable_decisions_either() -> None:
    known = favourable(USE_CASE.policy, {"keep": 2_000, "reduce": 8_000}, {"keep": 400, "reduce": 99}, family=1)
    assert known.state == "insufficient"
