"""A chart shows what is known, where it is known, and nothing else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.policy import MonitoringLimits
from monitoring.console import charts
from monitoring.console.charts import Series, bars, chart
from monitoring.drift import shift

LIMITS = MonitoringLimits(
    psi_warn=0.1,
    psi_alarm=0.25,
    code_mix=0.08,
    bad_rate_ratio=1.35,
    auc_drop=0.05,
    calibration_ratio=(0.75, 1.33),
    minimum_rows=10,
)
MONTHS = ["2005-05", "2005-06", "2005-07", "2005-08"]


def drawn(values: list[float | None]) -> charts.Chart:
    return chart("AUC", MONTHS[: len(values)], [Series("as coded", "coded", values)], charts.figure)


def test_an_unknown_month_breaks_the_line_and_gets_no_point() -> None:
    line = drawn([0.8, 0.81, None, 0.7]).lines[0]
    assert [point.text for point in line.points] == [
        "as coded, 2005-05: 0.800",
        "as coded, 2005-06: 0.810",
        "as coded, 2005-08: 0.700",
    ]
    assert len(line.paths) == 1  # 2005-08 stands alone: a point, no line to it


def test_a_chart_without_a_known_figure_says_nothing() -> None:
    empty = drawn([None, None])
    assert empty.in_words == ""
    assert not empty.lines[0].points


def test_the_words_beside_a_chart_name_its_first_and_its_last_figure() -> None:
    assert drawn([0.8, None, 0.75]).in_words == "as coded: 0.800 in 2005-05, 0.750 in 2005-07."


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=4))
def test_every_point_lies_inside_the_axes_and_higher_is_more(values: list[float]) -> None:
    line = drawn(list(values)).lines[0]
    heights = [point.y for point in line.points]
    assert all(charts.TOP <= y <= charts.HEIGHT - charts.BOTTOM for y in heights)
    assert all(charts.LEFT <= point.x <= charts.WIDTH - charts.RIGHT for point in line.points)
    highest = max(range(len(values)), key=values.__getitem__)
    assert heights[highest] == min(heights)


def test_long_stories_thin_their_labels_but_keep_the_newest() -> None:
    months = [f"2005-{number:02d}" for number in range(1, 13)]
    shown = chart("AUC", months, [Series("as coded", "coded", [0.8] * 12)], charts.figure).x
    assert len(shown) <= charts.MONTH_LABELS
    assert shown[-1].text == "2005-12"


def test_bins_that_were_and_are_empty_are_left_out_of_a_histogram() -> None:
    moved = shift("status_0", {"codes": [0, 1, 2], "counts": [60, 40, 0, 0]}, np.array([50, 0, 50, 0]), LIMITS, columns=1)
    assert [(bar.label, bar.reference, bar.current) for bar in bars(moved)] == [("0", 0.6, 0.5), ("1", 0.4, 0.0), ("2", 0.0, 0.5)]
    assert max(bar.reference_height for bar in bars(moved)) == 100
