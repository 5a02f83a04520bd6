"""Which pictures a training run leaves, from what was computed."""

import numpy as np

from models.governance.doubt.rule import Rule
from pipelines.adapters import plots, policy_charts
from pipelines.assessment import Assessment, Cohorts
from pipelines.development import Development


def draw(cohorts: Cohorts, development: Development, assessment: Assessment) -> dict[str, bytes]:
    """PNG by name: out of time for the challenger, beside the champion where there is one; and how it got there."""
    bad, scores = cohorts.out_of_time.bad, assessment.scores
    months = np.concatenate([cohorts.taught().months, cohorts.out_of_time.months])
    probabilities = np.concatenate([development.probabilities, scores["challenger"]])
    curve, rule, proofs = development.curve, Rule.of(assessment.bundle), assessment.proofs
    return {
        "expected_cost": policy_charts.expected_cost(proofs.cost),
        "doubt": policy_charts.doubt(rule.intervals, rule.policy.cut_offs, rule.band, proofs.later),
        "roc": plots.roc(bad, scores),
        "calibration": plots.calibration(bad, scores),
        "gain": plots.gain(bad, scores),
        "stability": plots.stability(months, probabilities),
        "learning_curve": plots.learning_curve(
            [int(point["rows"]) for point in curve],
            np.array([[point["train_auc"]] for point in curve]),
            np.array([[point["valid_auc"]] for point in curve]),
        ),
    }
