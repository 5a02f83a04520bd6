"""The rules that look at a month. Each returns findings; `monitoring.verdict` weighs them.

The limits come from the policy sealed in the bundle. A rule that compares samples also asks whether chance could have
done it: PSI limits respect the null distribution, and those of the bad rate and the AUC what chance does to as few
outcomes as there are (`monitoring.chance`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.alerting import Objectives
from models.governance.ledger import Hold
from models.policy import MonitoringLimits
from monitoring.chance import hanley_mcneil, largest_fall, rate_limits
from monitoring.drift import Shift, contributions
from monitoring.invariants.figures import Invariants
from monitoring.invariants.rules import broken
from monitoring.performance import Figures, Performance, Reading
from monitoring.statistics.figures import MonthStatistics
from monitoring.statistics.rules import examined
from monitoring.verdict import Finding, Kind, Level, Verdict, apart, counted, short, weigh

RARE = 0.01
"""A code with a smaller share is not in use."""


@dataclass(frozen=True)
class Evidence:
    """All that a month's verdict rests on. `recoding_accepted`: a person has released a hold about codes seen since training."""

    month: str
    decisions: int
    accounts: int  # different ones among the decisions
    score: Shift | None
    inputs: Sequence[Shift]
    actions: Shift | None
    performance: Performance | None
    maturity: str  # in words, while the outcomes are not known
    holds: Sequence[Hold] = ()
    recoding_accepted: bool = False
    other_bundles: Mapping[str, int] = field(default_factory=dict)
    statistics: MonthStatistics | None = None
    invariants: Invariants | None = None


def judge(evidence: Evidence, limits: MonitoringLimits, objectives: Objectives | None = None) -> Verdict:
    """Apply every rule and weigh what was found. `objectives` are what is promised of the service."""
    invariants = evidence.invariants
    found = [
        *(broken(invariants, evidence.month, limits, objectives or Objectives()) if invariants else []),
        *volume(evidence, limits),
        *codes(evidence, limits),
        *shifted(evidence),
        *(examined(evidence.statistics) if evidence.statistics else []),
        *outcomes(evidence, limits),
        *holds(evidence),
    ]
    return weigh(found, quiet=quiet(evidence), recoding_accepted=evidence.recoding_accepted)


def volume(evidence: Evidence, limits: MonitoringLimits) -> list[Finding]:
    """Nothing decided, too little for statistics, or answered by several versions."""
    if not evidence.decisions:
        return [_finding("missing", Level.RED, evidence.month, f"No decisions were logged for {evidence.month}.")]
    found = []
    if evidence.decisions < limits.minimum_rows:
        text = f"Only {counted(evidence.decisions, 'decision')}: too few for statistics, which need {limits.minimum_rows:,}."
        found.append(_finding("insufficient", Level.AMBER, evidence.month, text, evidence.decisions, limits.minimum_rows))
    if others := sum(evidence.other_bundles.values()):
        text = f"{counted(others, 'further decision')} of {evidence.month} came from other versions: not counted here."
        found.append(_finding("other_bundles", Level.GREEN, evidence.month, text, others))
    return found


def codes(evidence: Evidence, limits: MonitoringLimits) -> list[Finding]:
    """Codes that the contract does not know, and code mixes so different that the coding itself is suspected."""
    found = []
    for shift in (shift for shift in evidence.inputs if shift.coded):
        if shift.unseen:
            text = f"{shift.name}: {counted(shift.unseen, 'row')} with a code that the contract does not know."
            found.append(_finding("unseen_code", Level.RED, shift.name, text, shift.unseen, 0))
        if shift.state != "insufficient" and shift.distance >= limits.code_mix:
            text = _mixed(shift)
            found.append(_finding("code_mix", Level.RED, shift.name, text, shift.distance, limits.code_mix))
    return found


def shifted(evidence: Evidence) -> list[Finding]:
    """PSI of the score, of every input, and of the decisions. Decisions follow the score: they never alarm on their own."""
    found, still = [], evidence.score is not None and evidence.score.state == "stable"
    if evidence.score:
        found += _shift("score_shift", "The score", evidence.score, Level.RED)
    for shift in sorted(evidence.inputs, key=lambda shift: -shift.psi):
        found += _shift("input_shift", shift.name, shift, Level.RED, ", the score has not" if still else "")
    if evidence.actions:
        found += _shift("decision_shift", "The mix of decisions", evidence.actions, Level.AMBER)
    return found


def outcomes(evidence: Evidence, limits: MonitoringLimits) -> list[Finding]:
    """AUC and calibration.

    A champion trained on the comparable definition is judged by it. Any other is judged as coded, and a breach counts
    against the model only if the comparable reading of the same rows breaches too; else the definition did it.
    """
    known = evidence.performance
    if known is None:
        return []
    seen, reference = known.as_coded.whole, known.reference
    if seen.rows < (least := limits.minimum_rows):
        text = f"Outcomes are known of only {counted(seen.rows, 'account')}: too few to judge, which needs {least:,}."
        return [_finding("insufficient", Level.AMBER, evidence.month, text, seen.rows, least)]
    if known.comparable is None:
        return [_finding("not_comparable", Level.AMBER, evidence.month, known.note)]
    coded, like = (breaches(reading, reference, limits) for reading in (known.as_coded, known.comparable))
    trained_on_it = known.comparable.definition == known.reference_definition
    confirmed = like if trained_on_it else coded & like
    judged = known.comparable.whole if trained_on_it else seen
    found = []
    if "auc" in confirmed:
        found.append(_auc_drop(judged, reference, limits))
    if confirmed & {"low", "high"}:
        found.append(_calibration(judged, limits))
    return [*found, _definition(evidence.month, known)] if coded - confirmed else found


def breaches(reading: Reading, reference: Mapping[str, float], limits: MonitoringLimits) -> frozenset[str]:
    """ "auc": it fell by more than the limit and more than chance. "low", "high": bad rate / predicted one, likewise."""
    seen, (low, high) = reading.whole, bad_rate_limits(reading.whole, limits)
    found = {"low"} if seen.actual < low else {"high"} if seen.actual > high else set()
    if "auc" in reference and seen.auc is not None and reference["auc"] - seen.auc >= fall_limit(seen, reference, limits):
        found |= {"auc"}
    return frozenset(found)


def bad_rate_limits(seen: Figures, limits: MonitoringLimits) -> tuple[float, float]:
    """Lowest and highest: the policy's share of the predicted rate or, where that is wider, what chance explains."""
    (low, high), chance = limits.calibration_ratio, rate_limits(seen.predicted, seen.rows)
    return min(low * seen.predicted, chance[0]), max(high * seen.predicted, chance[1])


def fall_limit(seen: Figures, reference: Mapping[str, float], limits: MonitoringLimits) -> float:
    """The larger of the policy's and chance's. The month's own error is DeLong's or, where that knows nothing, as expected."""
    was, now, error = reference["auc"], seen.auc, seen.auc_error
    if not (now and error):
        now, error = was, hanley_mcneil(was, seen.bad, seen.rows - seen.bad)
    return max(limits.auc_drop, largest_fall(was, reference["auc_error"], now, error))


def holds(evidence: Evidence) -> list[Finding]:
    """Every open hold; those about the month itself come first."""
    return [
        _finding("hold", Level.HELD, hold.month, f"Retraining is held: {hold.what.rstrip('.')} ({hold.month}).")
        for hold in sorted(evidence.holds, key=lambda hold: hold.month != evidence.month)
    ]


def quiet(evidence: Evidence) -> str:
    """The sentence of a month in which no rule found anything."""
    top = max(evidence.inputs, key=lambda shift: shift.psi, default=None)
    like = f" (largest PSI {short(top.psi)}, {top.name})" if top else ""
    repeated = f" on {counted(evidence.accounts, 'account')}" if evidence.accounts < evidence.decisions else ""
    said = f"All quiet: {counted(evidence.decisions, 'decision')}{repeated} look like the training data{like}."
    if evidence.performance is None:
        return f"{said} {evidence.maturity}"
    seen, reference = evidence.performance.as_coded.whole, evidence.performance.reference.get("auc")
    ranked = f"AUC {short(seen.auc or 0)}" + (f", {short(reference)} at training" if reference else "")
    return f"{said} {ranked}; {percent(seen.actual)} went bad, {percent(seen.predicted)} were predicted."


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _shift(kind: Kind, name: str, shift: Shift, highest: Level, more: str = "") -> list[Finding]:
    if shift.state not in ("warn", "alarm"):
        return []
    alarm = shift.state == "alarm"
    limit = shift.alarm if alarm else shift.warn
    seen, allowed = apart(shift.psi, limit)
    text = f"{name} has shifted (PSI {seen}, limit {allowed}){more}."
    return [_finding(kind, highest if alarm else Level.AMBER, shift.name, text, shift.psi, limit)]


def _mixed(shift: Shift) -> str:
    """By the code that moved most by its part of the PSI: one that appears says more than a large one that shrinks.

    A code that comes or goes was given another meaning. Where each only became more or less usual, so may customers have.
    """
    at = int(np.argmax(contributions(shift.reference, shift.current)))
    now, was = (counts[at] / max(sum(counts), 1) for counts in (shift.current, shift.reference))
    moved = f"code {shift.bins[at]} makes up {percent(now)} of the rows, {percent(was)} at training"
    if min(now, was) < RARE:
        return f"{shift.name} is coded differently: {moved}."
    return f"{shift.name} has another mix of codes: {moved}. Its coding has changed, or the customers have."


def _auc_drop(seen: Figures, reference: Mapping[str, float], limits: MonitoringLimits) -> Finding:
    now, was, limit = seen.auc or 0.0, reference["auc"], fall_limit(seen, reference, limits)
    text = f"AUC fell to {short(now)} from {short(was)} at training (limit of a fall: {short(limit)})."
    return _finding("auc_drop", Level.RED, "all", text, was - now, limit)


def _calibration(seen: Figures, limits: MonitoringLimits) -> Finding:
    low, high = bad_rate_limits(seen, limits)
    passed = high if seen.actual > high else low
    text = f"{percent(seen.actual)} went bad, {percent(seen.predicted)} were predicted (limit: {percent(passed)})."
    return _finding("calibration", Level.RED, "all", text, seen.actual, passed)


def _definition(month: str, known: Performance) -> Finding:
    coded, like, reference = known.as_coded.whole, known.comparable and known.comparable.whole, known.reference.get("auc")
    ranks = f"AUC is {short(coded.auc or 0)} as coded" + (f", {short(like.auc or 0)} read comparably" if like else "")
    was = f" ({short(reference)} at training)" if reference is not None else ""
    rates = f"{percent(coded.actual)}" + (f" and {percent(like.actual)}" if like else "") + " went bad"
    text = f"What counts as bad has changed, more than the model: {ranks}{was}; {rates}."
    return _finding("definition", Level.AMBER, month, text, known.attribution.definition if known.attribution else None)


def _finding(
    kind: Kind, level: Level, subject: str, text: str, value: float | None = None, limit: float | None = None
) -> Finding:
    return Finding(kind=kind, level=level, subject=subject, text=text, value=value, limit=limit)
