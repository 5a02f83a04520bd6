"""The policy of the monthly line review. Every figure is an assumption of this example, stated so that it can be argued with."""

from models.credit_default.features import DIRECTIONS
from models.policy import CostMatrix, CutOffs, GateLimits, MonitoringLimits, Policy

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
)
