"""A chart shows what is known, where it is known, and nothing else: as a picture, in words and as a table."""

import csv
from io import StringIO

import numpy as np
import pytest

from models.policy import MonitoringLimits
from monitoring.adapters.chart_pictures import MatplotlibPictures
from monitoring.console.charts.values import Change, Chart, Kind, Scheme, Series, Span, Unit, bins, distribution, slug
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
MONTHS = ("2005-05", "2005-06", "2005-07", "2005-08")


def drawn(*values: float | None, **more: object) -> Chart:
    return Chart("auc", "AUC", MONTHS[: len(values)], (Series("as coded", "coded", values),), **more)  # type: ignore[arg-type]


def test_a_chart_without_a_known_figure_says_nothing() -> None:
    empty = drawn(None, None)
    assert not empty.known
    assert empty.in_words == ""


def test_the_words_beside_a_chart_name_its_first_and_its_last_figure() -> None:
    assert drawn(0.8, None, 0.75).in_words == "as coded: 0.800 in 2005-05, 0.750 in 2005-07."


def test_the_words_beside_bars_name_the_tallest() -> None:
    moved = shift("status_0", {"codes": [0, 1], "counts": [60, 40, 0]}, np.array([50, 50, 0]), LIMITS, columns=1)
    assert distribution(moved).in_words.startswith("training: most in 0, 60.0")


def test_the_table_has_every_figure_unrounded_and_an_empty_cell_for_what_is_unknown() -> None:
    table = drawn(0.123456789, None, spans=(Span("2005-06", 0.1, 0.2),), span_name="range").csv()
    assert list(csv.reader(StringIO(table))) == [
        ["", "as coded", "range, low", "range, high"],
        ["2005-05", "0.123456789", "", ""],
        ["2005-06", "", "0.1", "0.2"],
    ]


def test_bins_that_were_and_are_empty_are_left_out() -> None:
    moved = shift("status_0", {"codes": [0, 1, 2], "counts": [60, 40, 0, 0]}, np.array([50, 0, 50, 0]), LIMITS, columns=1)
    told = [(each.label, each.reference, each.current) for each in bins(moved)]
    assert told == [
        ("0", 0.6, 0.5),
        ("1", 0.4, 0.0),
        ("2", 0.0, 0.5),
    ]


def test_a_name_becomes_part_of_an_address() -> None:
    assert slug("Sex x Age: woman/30") == "sex-x-age-woman-30"


@pytest.fixture(scope="module")
def pictures() -> MatplotlibPictures:
    return MatplotlibPictures()


CHARTS = {
    "lines": drawn(0.8, None, 0.75, 0.7, spans=(Span("2005-08", 0.6, 0.8),), changes=(Change("2005-07", "v2"),), second="Gini"),
    "bars": drawn(0.2, 0.8, kind=Kind.BARS, unit=Unit.PERCENT),
    "evidence": drawn(1.0, 50.0, 1e12, unit=Unit.EVIDENCE),
    "one month": drawn(0.8),
}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=list(CHARTS))
def test_every_kind_of_chart_is_drawn_as_svg_and_as_png(pictures: MatplotlibPictures, chart: Chart) -> None:
    light, dark = pictures.svg(chart, Scheme.LIGHT), pictures.svg(chart, Scheme.DARK)
    assert b"as coded" in light  # text stays text: it is searched for, and sharp at any size
    assert b"#ffffff" in light
    assert b"#ffffff" not in dark
    assert b"<script" not in light
    assert pictures.png(chart).startswith(b"\x89PNG")


def test_the_same_chart_is_drawn_once_and_the_same_every_time(pictures: MatplotlibPictures) -> None:
    chart = CHARTS["lines"]
    assert pictures.svg(chart, Scheme.LIGHT) is pictures.svg(chart, Scheme.LIGHT)
    assert MatplotlibPictures().svg(chart, Scheme.LIGHT) == pictures.svg(chart, Scheme.LIGHT)


def test_a_figure_that_is_one_more_makes_another_picture(pictures: MatplotlibPictures) -> None:
    assert pictures.svg(drawn(0.8, 0.7), Scheme.LIGHT) != pictures.svg(drawn(0.8, 0.71), Scheme.LIGHT)
