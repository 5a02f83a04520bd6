"""The real Evidently: what it draws must open offline, and must agree with the exact figures."""

import re
from collections.abc import Mapping

import numpy as np
import pytest

from models.clock import Month
from models.contract import Columns
from models.credit_default import USE_CASE
from models.errors import Unavailable
from models.reference import bins, counts
from monitoring.adapters.evidently_reports import EvidentlyRenderer, data_definition
from monitoring.drift import psi
from monitoring.pages import Page
from monitoring.recomputed import TOLERANCE, psi_by_column
from tests import months

pytestmark = pytest.mark.integration

CONTRACT = USE_CASE.contract
NAMES = [*CONTRACT.inputs, "probability"]
LIMITS = dict.fromkeys(NAMES, USE_CASE.policy.monitoring.psi_alarm)


def sample(month: Month, behind: tuple[float, float, float] = (0.8, 0.0, 0.2)) -> Columns:
    columns = months.accounts(month, rows=3_000, behind=behind)
    return columns | {"probability": months.probabilities(columns)}


@pytest.fixture(scope="module")
def drawn() -> Page:
    """August, in which code 1 appears, against June."""
    return EvidentlyRenderer().drift(CONTRACT, sample(Month(2005, 6)), sample(Month(2005, 8), (0.68, 0.12, 0.2)), LIMITS)


@pytest.fixture(scope="module")
def classified() -> Page:
    columns = sample(Month(2005, 8))
    bad = months.outcome_codes(columns) >= 1
    return EvidentlyRenderer().classification({"bad": bad, "probability": columns["probability"]}, 0.2)


def test_the_pages_load_nothing_from_anywhere(drawn: Page, classified: Page) -> None:
    for page in (drawn, classified):
        html = page.html.decode()
        assert not re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)\s*=\s*[\"']?(?:https?:)?//", html)
        assert not re.findall(r"@import\s+[\"']?(?:https?:)?//|url\(\s*[\"']?(?:https?:)?//", html)


def test_every_input_and_the_score_is_on_the_page(drawn: Page) -> None:
    assert sorted(drawn.psi) == sorted(NAMES)
    assert all(name in drawn.html.decode() for name in NAMES)


def test_one_drifted_column_makes_the_headline(drawn: Page) -> None:
    assert "Dataset Drift is detected" in drawn.html.decode()


def test_a_month_like_the_reference_makes_none() -> None:
    page = EvidentlyRenderer().drift(CONTRACT, sample(Month(2005, 6)), sample(Month(2005, 7)), LIMITS)
    assert "Dataset Drift is NOT detected" in page.html.decode()


def test_its_psi_agrees_with_the_exact_one(drawn: Page) -> None:
    reference, current = sample(Month(2005, 6)), sample(Month(2005, 8), (0.68, 0.12, 0.2))
    exact: Mapping[str, float] = {
        name: psi(*(counts(bins(CONTRACT[name], reference[name]), columns[name]) for columns in (reference, current)))
        for name in CONTRACT.inputs
    }
    for name in CONTRACT.inputs:  # the bins differ, so quiet columns agree on being quiet, and coded ones nearly exactly
        if CONTRACT[name].codes:
            assert drawn.psi[name] == pytest.approx(exact[name], rel=0.15, abs=0.01)
        else:
            assert max(drawn.psi[name], exact[name]) < 0.03
    assert [name for name in CONTRACT.inputs if drawn.psi[name] >= LIMITS[name]] == ["status_0"]


@pytest.mark.parametrize("behind", [(0.8, 0.0, 0.2), (0.68, 0.12, 0.2), (0.9, 0.0999, 0.0001)])
def test_its_figures_follow_from_the_sample_by_its_own_rule(behind: tuple[float, float, float]) -> None:
    reference, current = sample(Month(2005, 6)), sample(Month(2005, 8), behind)
    current["bill_0"] = current["bill_0"] * 3
    page = EvidentlyRenderer().drift(CONTRACT, reference, current, LIMITS)
    again = psi_by_column(CONTRACT, reference, current)
    assert {name: page.psi[name] for name in NAMES} == pytest.approx(again, abs=TOLERANCE)
    assert page.psi["bill_0"] > 0.5


def test_the_definition_comes_from_the_contract() -> None:
    definition = data_definition(CONTRACT)
    assert definition["categorical_columns"] == ["status_0", "status_1"]
    assert {*definition["numerical_columns"], *definition["categorical_columns"]} == set(NAMES)
    assert definition["id_column"] == "account_id"


def test_what_evidently_cannot_draw_is_said_in_the_platforms_words() -> None:
    with pytest.raises(Unavailable, match="Evidently could not draw the classification page"):
        EvidentlyRenderer().classification({"bad": np.array([True]), "probability": np.array([np.nan])}, 0.2)
