"""The policy of the monthly line review. Every figure is an assumption of this example, stated so that it can be argued with."""

from models.credit_default.features import DIRECTIONS
from models.policy import (
    Action,
    CostMatrix,
    CutOffs,
    FairnessLimits,
    GateLimits,
    JurisdictionLimits,
    MonitoringLimits,
    Policy,
)

# Exposure is near the panel's mean bill (TWD 51,000); loss given default of unsecured cards is commonly put at .75,
# the foundation value for unsecured subordinated claims in the Basel framework (CRE32.7). The rest is the owner's estimate.
COST = CostMatrix(
    currency="TWD",
    exposure=50_000,
    loss_given_default=0.75,
    review_cost=1_000,
    review_catches=0.30,
    reduce_saves=0.60,
    lost_margin=7_500,
)

_review, _reduce = COST.cut_offs()

# No limit here is a law's own number but the four fifths (29 CFR 1607.4(D), from employment). The rest is the owner's choice.
FAIRNESS = FairnessLimits(
    favourable=(Action.KEEP,),
    review_counts="review counts as not favourable: the line is in doubt until a person has decided",
    reference="highest_rate",
    bands={"age": (18, 26, 31, 41, 51, 62)},
    minimum_cell=100,
    minimum_outcomes=50,
    auc_margin=0.005,
    impact_gain=0.01,
    jurisdictions={
        "US": JurisdictionLimits(
            rule="supports 12 CFR 1002.4(a); the effects test left Regulation B in July 2026, so the limits are the bank's own",
            impact_ratio=0.80,
            score_difference=0.30,
            true_positive_gap=0.10,
            false_positive_gap=0.05,
            calibration_ratio=(0.80, 1.25),
            proxy_auc=0.75,
        ),
        "EU": JurisdictionLimits(
            rule="supports the examination for bias of EU AI Act article 10(2)(f); the limits are the bank's own",
            impact_ratio=0.90,
            score_difference=0.25,
            true_positive_gap=0.10,
            false_positive_gap=0.05,
            calibration_ratio=(0.80, 1.25),
            proxy_auc=0.75,
        ),
    },
)

POLICY = Policy(
    cost=COST,
    cut_offs=CutOffs(review=_review, reduce=_reduce),
    directions=DIRECTIONS,
    gates=GateLimits(
        auc_floor=0.70,
        brier_ceiling_ratio=0.95,
        calibration_slope=(0.80, 1.25),
        calibration_intercept=(-0.35, 0.35),
        auc_margin=0.002,
        brier_margin=0.001,
        family_margin=0.002,
        minimum_bad=200,
    ),
    monitoring=MonitoringLimits(
        psi_warn=0.10,
        psi_alarm=0.25,
        code_mix=0.08,
        bad_rate_ratio=1.35,
        auc_drop=0.05,
        calibration_ratio=(0.75, 1.33),
        minimum_rows=500,
    ),
    fairness=FAIRNESS,
)
