"""A use case's policy: cut-offs and the costs behind them, directions, gates and limits. Data, sealed in the bundle."""

import math
from enum import StrEnum
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Action(StrEnum):
    """The monthly line review, from the mildest to the most severe."""

    KEEP = "keep"
    REVIEW = "review"
    REDUCE = "reduce"


class CostMatrix(Frozen):
    """Expected cost of an action, in the policy's currency per account.

    keep:   p * exposure * loss_given_default
    review: review_cost + (1 - review_catches) * keep
    reduce: (1 - reduce_saves) * keep + (1 - p) * lost_margin
    """

    currency: str
    exposure: float = Field(gt=0, description="exposure at default, per account")
    loss_given_default: float = Field(gt=0, le=1)
    review_cost: float = Field(ge=0, description="a person looks at the account")
    review_catches: float = Field(ge=0, le=1, description="share of the loss that a review avoids")
    reduce_saves: float = Field(ge=0, le=1, description="share of the loss that a reduced line avoids")
    lost_margin: float = Field(ge=0, description="margin lost on a good account whose line was reduced")

    def expected(self, probability: NDArray[np.float64]) -> dict[Action, NDArray[np.float64]]:
        """Cost of each action at each probability, shape (n,)."""
        keep = probability * self.exposure * self.loss_given_default
        return {
            Action.KEEP: keep,
            Action.REVIEW: self.review_cost + (1 - self.review_catches) * keep,
            Action.REDUCE: (1 - self.reduce_saves) * keep + (1 - probability) * self.lost_margin,
        }

    def spent(self, actions: NDArray[np.str_], probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cost by account (n,) of what was done: expected at a probability, realised at an outcome of 0 or 1."""
        costs = self.expected(probability)
        return np.select([actions == action.value for action in costs], list(costs.values()))

    def cut_offs(self) -> tuple[float, float]:
        """(review, reduce): from which probability on each action is the cheapest. Lines, so the crossings are exact."""
        loss = self.exposure * self.loss_given_default
        review = self.review_cost / (self.review_catches * loss)
        gain = (self.reduce_saves - self.review_catches) * loss + self.lost_margin
        return review, (self.lost_margin - self.review_cost) / gain


_BY_SEVERITY = np.array([Action.KEEP.value, Action.REVIEW.value, Action.REDUCE.value])


class CutOffs(Frozen):
    """`probability >= reduce` reduces; else `probability >= review` reviews; else keeps."""

    review: float = Field(gt=0, lt=1)
    reduce: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.review >= self.reduce:
            raise ValueError("the review cut-off must lie below the reduce cut-off")
        return self

    def actions(self, probability: NDArray[np.float64]) -> NDArray[np.str_]:
        """Quantised probabilities, shape (n,), to actions, shape (n,)."""
        return _BY_SEVERITY[(probability >= self.review).astype(np.intp) + (probability >= self.reduce)]


class GateLimits(Frozen):
    """What a challenger must show. Floors hold for every model; the margins hold against a champion."""

    auc_floor: float = Field(description="lower confidence bound of the out-of-time AUC")
    brier_ceiling_ratio: float = Field(description="Brier score / that of predicting the base rate, at most")
    calibration_slope: tuple[float, float]
    calibration_intercept: tuple[float, float]
    out_of_time_slope: tuple[float, float] | None = Field(
        default=None, description="of the candidate on the month that judges; None: as for the deployed model"
    )
    out_of_time_intercept: tuple[float, float] | None = Field(default=None, description="the same")
    auc_margin: float = Field(description="the paired AUC loss against the champion may not exceed this")
    brier_margin: float = Field(description="the paired Brier loss against the champion may not exceed this")
    family_margin: float = Field(description="lower bound of the paired AUC gain that a more complex family must exceed")
    minimum_bad: int = Field(description="bad outcomes needed out of time before anything is decided")
    confidence: float = 0.95


class Condition(Frozen):
    """A comparison of one input with a number."""

    column: str
    comparison: Literal["==", "<=", ">="]
    value: float


class Segment(Frozen):
    """A part of the portfolio that is watched by itself: every `when` holds, and not all of `unless` do. Of inputs only.

    Data, so that the engine that counts the log and the code that freezes the reference divide the rows alike.
    """

    when: tuple[Condition, ...] = Field(min_length=1)
    unless: tuple[Condition, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(condition.column for condition in (*self.when, *self.unless))


Due = Literal["snapshots", "decisions", "outcomes"]


class MonitoringLimits(Frozen):
    """When the monthly verdict changes colour."""

    psi_warn: float
    psi_alarm: float
    code_mix: float = Field(description="total variation distance of a code mix against history from which coding is suspected")
    bad_rate_ratio: float = Field(description="jump of the bad rate against history from which a definition change is suspected")
    auc_drop: float
    calibration_ratio: tuple[float, float] = Field(description="realised / predicted bad rate")
    minimum_rows: int
    favourable_rate: float = Field(
        default=0.05, gt=0, lt=1, description="change of the share of favourable decisions, either sign, from which it is said"
    )
    segments: dict[str, Segment] = Field(default={}, description="watched by themselves; older bundles have none")
    windows: int = Field(default=3, ge=1, description="months that are looked at before a statistical limit pages")
    violating: int = Field(default=2, ge=1, description="of them, how many must pass the limit, the latest among them")
    volume_ratio: tuple[float, float] = Field(default=(0.5, 2.0), description="decisions / the median of the months before")
    repeated: float = Field(default=0.2, gt=0, lt=1, description="share of decisions on an account of before: some ask again")
    stuck: float = Field(default=0.5, gt=0, lt=1, description="share of accounts whose every input is last month's, unchanged")
    unit_factor: float = Field(default=5.0, gt=1, description="common factor of all quartiles from which a unit is suspected")
    constant_score: float = Field(default=0.5, gt=0, lt=1, description="share of decisions with one and the same probability")
    skewed: float = Field(default=0.01, ge=0, lt=1, description="share of decisions on other inputs than the lake has")
    restated: float = Field(
        default=0.01, gt=0, lt=1, description="share of a month's rows that a later delivery may correct before a person looks"
    )
    due_days: dict[Due, int] = Field(
        default={"snapshots": 1, "decisions": 5, "outcomes": 1}, description="days after which what is due is late"
    )

    @model_validator(mode="after")
    def _windows_can_violate(self) -> Self:
        if self.violating > self.windows:
            raise ValueError("more windows must pass a limit than are looked at")
        return self


class ReReview(Frozen):
    """When a model is to be looked at again although no limit was passed: what follows is a challenger, judged by the gate."""

    approval_days: int = Field(default=30, ge=0, description="so many days before its approval ends")
    lasting: tuple[str, ...] = Field(
        default=("since_first", "segment_shift", "favourable_rate", "reason_mix"),
        description="kinds of findings that are no alarm by themselves, and say something when they last",
    )
    lasting_months: int = Field(default=3, ge=2, description="months in a row with one of them about the same subject")


class RetrainingRules(Frozen):
    """What makes the platform retrain beside a verdict, and how often it may."""

    every_months: int | None = Field(default=None, ge=1, description="age of the champion's data; None: not by the calendar")
    matured_cohorts: int | None = Field(default=None, ge=1, description="cohorts matured since; None: they do not suffice")
    re_review: ReReview | None = Field(default=None, description="None: only limits count")
    cool_down_days: int = Field(default=14, ge=0, description="after a training has ended, before the platform begins another")
    budget: int = Field(default=3, ge=1, description="trainings that the platform begins in one calendar month, at most")


class JurisdictionLimits(Frozen):
    """What a figure may show under one jurisdiction. The whole confidence interval must lie inside."""

    rule: str = Field(min_length=1, description="the rule, or the house's own standard, that the limits support")
    columns: tuple[str, ...] = Field(min_length=1, description="the audit columns that are judged here")
    impact_ratio: float = Field(gt=0, le=1, description="favourable rate / that of the reference group, at least")
    score_difference: float = Field(gt=0, description="standardised mean difference of the score, at most, either sign")
    true_positive_gap: float = Field(gt=0, lt=1, description="difference in the share of bads not favoured, either sign")
    false_positive_gap: float = Field(gt=0, lt=1, description="difference in the share of goods not favoured, either sign")
    calibration_ratio: tuple[float, float] = Field(description="predicted / observed bad rate of a group")
    proxy_auc: float = Field(gt=0.5, lt=1, description="how well anything may predict a group; .5 is chance")


class FairnessLimits(Frozen):
    """How fairness is counted, and the limits by jurisdiction: they differ and change, so they are data.

    (The federal effects test left Regulation B in July 2026; states, other countries and the bank's own standard remain.)
    """

    favourable: tuple[Action, ...] = Field(min_length=1, description="the decisions that count as favourable")
    review_counts: str = Field(min_length=1, description="how `review` counts, and why")
    reference: Literal["largest", "highest_rate"] = Field(description="which group the others are compared with")
    reference_share: float = Field(ge=0, lt=1, description="share of all accounts that a reference group needs")
    bands: dict[str, tuple[int, ...]] = Field(description="lower ends of the bands of audit columns that are numbers")
    minimum_cell: int = Field(ge=1, description="accounts needed in a group before a rate is judged")
    minimum_outcomes: int = Field(ge=1, description="bads, or goods, needed before a rate among them is judged")
    auc_margin: float = Field(gt=0, description="AUC that a less discriminatory alternative may cost at most")
    impact_gain: float = Field(gt=0, description="gain in impact ratio from which an alternative must be preferred")
    jurisdictions: dict[str, JurisdictionLimits] = Field(min_length=1)


class ReasonGroup(Frozen):
    """Inputs that count as one reason: the months of a status are one. `notice` is the sentence that a customer reads."""

    code: str
    name: str
    inputs: tuple[str, ...] = Field(min_length=1)
    notice: str


class NoNotice(Frozen):
    """An unfavourable action that is no adverse action if every condition holds; `basis` says by which rule."""

    name: str
    when: tuple[Condition, ...] = Field(min_length=1)
    basis: str


class Mutable(Frozen):
    """An input that a customer can change by the next review, in this direction, up to a number or to another input."""

    column: str
    direction: Literal[-1, 1]
    until: float | str


class ReasonStability(Frozen):
    """How far reasons may depend on which accounts a model happened to see, by refits on other samples of them."""

    first_reason: float = Field(gt=0, le=1, description="share of the accounts with the same first reason, at least")
    overlap: float = Field(gt=0, le=1, description="listed reasons in common over all that either lists, at least")


class Adverse(Frozen):
    """What is said to the customer whose line is reduced. Data, so that serving needs no code of a use case."""

    groups: tuple[ReasonGroup, ...] = Field(min_length=1, max_length=6)
    no_notice: tuple[NoNotice, ...]
    mutable: tuple[Mutable, ...]
    stability: ReasonStability | None = Field(default=None, description="without it stability is reported only")
    baselines: int = Field(default=4, ge=1, description="accounts that reasons are measured against, at most")


class UncertaintyLimits(Frozen):
    """What the intervals around probabilities must show, and what they may cost in work."""

    confidence: float = Field(default=0.99, gt=0, lt=1, description="of all bands of score together, that a miss is no chance")
    review_growth: float = Field(gt=0, lt=1, description="share of accounts that doubt alone may send to a person, at most")


class Bounded(Frozen):
    """How much a disturbance may move the accounts that are not flagged: a silent score must be close to the right one."""

    moved: float = Field(gt=0, description="99th percentile of the change in log-odds, at most")
    changed: float = Field(gt=0, le=1, description="share of accounts whose action changes, at most")


class Together(Frozen):
    """Amounts of one unit that mean something together: the sum of `plus` less the sum of `minus`, by `over` if it is given."""

    plus: tuple[str, ...] = Field(min_length=1)
    minus: tuple[str, ...] = ()
    over: str = Field(default="", description="an input that is always above zero; none is the plain sum")

    @property
    def inputs(self) -> tuple[str, ...]:
        return (*self.plus, *self.minus, *filter(None, [self.over]))

    def __str__(self) -> str:
        total = " - ".join([" + ".join(self.plus), *self.minus])
        several = len(self.plus) + len(self.minus) > 1
        return f"{f'({total})' if several else total} / {self.over}" if self.over else total


class RobustnessLimits(Frozen):
    """What input may do that is not as it should be. Every disturbance that is tried needs its limit here."""

    flagged: float = Field(gt=0, lt=1, description="share of the development accounts that count as out of distribution")
    compared: tuple[Together, ...] = Field(
        default=(), description="amounts taken together, each with a familiar range; older bundles have none"
    )
    signs: tuple[Together, ...] = Field(
        default=(), description="amounts whose sign goes with the codes: each combination of both must have been seen"
    )
    false_flags: float = Field(gt=0, lt=1, description="share of other accounts of the same months that are flagged, at most")
    stale: dict[str, str] = Field(description="what a stale record repeats, by input: the older input")
    bounded: dict[str, Bounded] = Field(description="by disturbance: the change among accounts that are not flagged")
    by_input: dict[str, dict[str, Bounded]] = Field(
        default={}, description="by disturbance of one input, and by input: what is allowed there instead"
    )
    caught: dict[str, float] = Field(description="by disturbance: the share that is flagged, at least")

    def bound(self, kind: str, column: str) -> Bounded | None:
        """The limit of a disturbance of one input, or of several ("")."""
        return self.by_input.get(kind, {}).get(column, self.bounded.get(kind))


class Policy(Frozen):
    cost: CostMatrix
    cut_offs: CutOffs
    directions: dict[str, int] = Field(description="+1: more of the feature may only raise the probability; -1: only lower it")
    gates: GateLimits
    monitoring: MonitoringLimits
    fairness: FairnessLimits | None = Field(default=None, description="without it no fairness figure can be within limits")
    adverse: Adverse | None = Field(default=None, description="without it nothing can be sealed or served; older bundles lack it")
    uncertainty: UncertaintyLimits | None = Field(default=None, description="without it no gate can be passed")
    robustness: RobustnessLimits | None = Field(default=None, description="without it nothing can be sealed")
    retraining: RetrainingRules = Field(default=RetrainingRules(), description="beside what the monitoring suggests")
    retention_months: int = Field(
        default=25, ge=25, description="decisions keep their inputs so long after notice, at least (12 CFR 1002.12(b))"
    )
    quantum: float = Field(default=1e-9, description="probabilities are rounded to this before cut-off and log")

    def quantise(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round(probability, -math.floor(math.log10(self.quantum)))
