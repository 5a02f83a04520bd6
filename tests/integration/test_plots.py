"""The pictures of a training run: that they can be drawn for every data set, and that they are the same every time."""

from functools import cache
from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from models.credit_default.policy import POLICY
from models.governance.doubt.coverage import covered
from models.governance.doubt.uncertainty import venn_abers
from models.policy import CutOffs
from pipelines.adapters import plots, policy_charts
from pipelines.cost_curve import cost_curve
from tests.rules import plain
from tests.samples import SAMPLE, rows

pytestmark = pytest.mark.integration

_rng = np.random.default_rng(0)
TRUTH = _rng.normal(-1.5, 1.5, 2000)
BAD = _rng.random(2000) < 1 / (1 + np.exp(-TRUTH))
SCORES = {"challenger": 1 / (1 + np.exp(-TRUTH)), "champion": 1 / (1 + np.exp(-0.5 * TRUTH))}
MONTHS = np.repeat(["2005-05", "2005-06"], 1000)
CURVE = np.array([[0.95, 0.94], [0.92, 0.91]]), np.array([[0.80, 0.82], [0.84, 0.85]])

SCORE = POLICY.quantise(SCORES["challenger"])
SURE = venn_abers(SCORE[:1000], BAD[:1000])
COST = cost_curve(plain(SAMPLE.contract, POLICY), SAMPLE.contract.matrix(rows(2000)), SCORE, BAD)
LATER = covered("later", SCORE[:1000], BAD[:1000], SCORE[1000:], BAD[1000:], confidence=0.99)

PICTURES = {
    "expected cost": lambda: policy_charts.expected_cost(COST),
    "doubt": lambda: policy_charts.doubt(SURE, POLICY.cut_offs, SURE.band(POLICY), LATER),
    "roc": lambda: plots.roc(BAD, SCORES),
    "gain": lambda: plots.gain(BAD, SCORES),
    "calibration": lambda: plots.calibration(BAD, SCORES),
    "stability": lambda: plots.stability(MONTHS, SCORES["champion"]),
    "learning curve": lambda: plots.learning_curve([500, 1000], *CURVE),
}


@cache
def drawn(name):
    return PICTURES[name]()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_something_in_colour(name):
    pixels = imread(BytesIO(drawn(name)))[..., :3]
    assert min(pixels.shape[:2]) > 700
    assert np.mean(np.ptp(pixels, axis=2) > 0.3) > 0.002


@pytest.mark.parametrize("name", PICTURES)
def test_equal_input_gives_equal_bytes(name):
    assert PICTURES[name]() == drawn(name)


def test_the_lines_of_the_roc_end_in_the_corners_and_enclose_the_auc():
    caught, touched = plots._cumulated(BAD, np.round(SCORES["challenger"], 2))
    assert (caught[0], touched[0], caught[-1], touched[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(caught, touched) == pytest.approx(plots.auc(BAD, np.round(SCORES["challenger"], 2)))


def test_the_bins_of_the_reliability_curve_hold_every_row():
    predicted, actual, low, high = plots._reliability(BAD, SCORES["challenger"], 10)
    assert len(predicted) == 10
    assert np.mean(actual) == pytest.approx(np.mean(BAD))
    assert np.all((low <= actual) & (actual <= high))


def test_a_model_that_says_the_same_of_everybody_can_be_drawn():
    constant = {"constant": np.full(2000, 0.2)}
    assert plots.calibration(BAD, constant)
    assert plots.roc(BAD, constant)
    assert plots.gain(BAD, constant)


def test_a_cohort_without_a_bad_account_in_a_bin_can_be_drawn():
    assert plots.calibration(SCORES["challenger"] > 0.5, SCORES)


def test_a_review_range_that_holds_everybody_can_be_drawn():
    everybody = CutOffs(review=5e-10, reduce=1 - 5e-10)
    assert policy_charts.doubt(SURE, POLICY.cut_offs, everybody, LATER)
