"""The gate: may this challenger be used at all, and should it replace the champion? See docs/adr/0004-gate.md.

The burden of proof lies with the challenger: a figure counts by the worse end of its confidence interval. Nothing
passes by default: a number that is missing, or a check that was not made, refuses.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation import Estimate, evaluate, paired_gain
from models.influence import Bools, Floats
from models.policy import GateLimits

PARITY = 1e-9  # largest difference in probability between the graph and the estimator it was made of

FLOORS = (
    "rows",
    "outcomes",
    "auc",
    "brier_ratio",
    "deployed_auc",
    "deployed_brier_ratio",
    "calibration_slope",
    "calibration_intercept",
    "out_of_time_slope",
    "out_of_time_intercept",
    "parity",
    "same_decisions",
)
PROOFS = (
    "monotone",
    "interval_coverage",
    "review_growth",
    "refusals",
    "false_flags",
    "disturbances",
    "caught",
)
"""What `pipelines/proofs.py` shows of the sealed bundle: as binding as a floor."""
EXCUSABLE = ("out_of_time_slope", "out_of_time_intercept")
"""Where the level of risk moved for everybody, no recipe could know it, and keeping the champion would not help."""
COMPARISONS = ("auc_gain", "brier_gain", "reason_to_change")


class Outcome(StrEnum):
    """REFUSE: must not be used. KEEP: sound, but the champion stays. PROMOTE: ask for promotion."""

    PROMOTE = "promote"
    KEEP = "keep"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Check:
    """One question, the figure that answers it, the limit in words, and the whole of it as a sentence.

    `excused`: it was not passed, and does not refuse, because the champion would not pass it either. It stays open.
    """

    name: str
    value: float
    limit: str
    passed: bool
    sentence: str
    excused: bool = False


@dataclass(frozen=True)
class Parity:
    """How the exported graph compares with the fitted estimator on `rows` held-out rows."""

    rows: int
    difference: float
    changed_decisions: int


@dataclass(frozen=True)
class HeldOut:
    """The model that would be deployed, scored on accounts that it was neither trained nor calibrated on; shape (k,)."""

    bad: Bools
    probability: Floats
    accounts: NDArray[Any]


@dataclass(frozen=True)
class Decision:
    outcome: Outcome
    checks: tuple[Check, ...]

    @property
    def sentence(self) -> str:
        """Why, in one sentence: what failed, or what spoke for the change."""
        failed = [check.sentence for check in self.checks if not (check.passed or check.excused)]
        excused = [check.sentence for check in self.checks if check.excused]
        reasons = failed or [check.sentence for check in self.checks if check.name == "reason_to_change"] + excused
        return f"{self.outcome.value.capitalize()}: {' '.join(reasons or ['every floor holds and there is no champion yet.'])}"

    def to_dict(self) -> dict[str, Any]:
        """JSON; a figure that is missing is null."""
        checks = [vars(check) | {"value": check.value if isfinite(check.value) else None} for check in self.checks]
        return {"outcome": self.outcome.value, "sentence": self.sentence, "checks": checks}


def decide(
    limits: GateLimits,
    bad: Bools,
    challenger: Floats,
    champion: Floats | None,
    accounts: NDArray[Any],
    parity: Parity | None,
    deployed: HeldOut | None = None,
    redefined: str = "",
    proofs: Sequence[Check] = (),
) -> Decision:
    """Judge probabilities (n,) of challenger and champion on the same out-of-time rows; no champion means the first.

    Where the recipe is refitted and calibrated anew before it is deployed, `deployed` is where the calibration in force is
    judged, and where the floors must hold once more; everything else, the candidate's calibration too, is judged out of
    time. `redefined` is a sentence that says how
    the outcomes are read otherwise than when the champion was trained, if they are: then a loss is not the model's fault.
    `proofs` are the checks by the names of `PROOFS`.
    """
    rows = _rows(bad, challenger, champion, accounts)
    if not rows.passed:
        return Decision(Outcome.REFUSE, (rows,))
    held = deployed or HeldOut(bad, challenger, accounts)
    checks = [
        rows,
        *_floors(limits, bad, challenger, accounts),
        *_deployed(limits, held),
        *_out_of_time(limits, bad, challenger, champion, accounts),
        *_parity(parity, len(bad)),
        *proofs,
    ]
    if champion is not None:
        checks += _comparisons(limits, bad, challenger, champion, accounts, redefined)
    return Decision(conclude(checks, against_champion=champion is not None), tuple(checks))


def conclude(checks: Sequence[Check], *, against_champion: bool) -> Outcome:
    """PROMOTE needs every check by name, each with a finite figure, each passed or excused."""
    floors = FLOORS + PROOFS
    expected = floors + (COMPARISONS if against_champion else ())
    made = {check.name: check for check in checks if isfinite(check.value)}
    held = {name for name, check in made.items() if check.passed or (check.excused and name in EXCUSABLE and against_champion)}
    if len(made) < len(checks) or made.keys() != set(expected) or not held >= set(floors):
        return Outcome.REFUSE
    return Outcome.PROMOTE if held >= set(expected) else Outcome.KEEP


def _rows(bad: Bools, challenger: Floats, champion: Floats | None, accounts: NDArray[Any]) -> Check:
    """The scores are probabilities of the same rows, and every outcome is known."""
    scores = [challenger] if champion is None else [challenger, champion]
    sound = (
        len(bad) > 0
        and bad.dtype == np.bool_
        and all(len(part) == len(bad) for part in (accounts, *scores))
        and all(bool(np.all((score >= 0) & (score <= 1))) for score in scores)
    )
    told = f"{len(bad):,} rows have " if sound else "Not all rows have "
    sentence = told + "a known outcome and a probability from every model."
    return Check("rows", float(len(bad)), "the same rows, complete", sound, sentence)


def _floors(limits: GateLimits, bad: Bools, probability: Floats, accounts: NDArray[Any]) -> list[Check]:
    fewer = int(min(np.sum(bad), np.sum(~bad)))
    found = evaluate(bad, probability, accounts, confidence=limits.confidence)
    enough = fewer >= limits.minimum_bad
    words = f"{fewer:,} outcomes of the rarer kind, {limits.minimum_bad:,} needed."
    return [
        Check("outcomes", fewer, f">= {limits.minimum_bad}", enough, words),
        _inside("auc", "AUC", found["auc"], low=limits.auc_floor),
        _inside("brier_ratio", "Brier score / that of the base rate", found["brier_ratio"], high=limits.brier_ceiling_ratio),
    ]


def _deployed(limits: GateLimits, held: HeldOut) -> list[Check]:
    """A refit that went wrong must not hide behind the candidate that was judged out of time."""
    found = evaluate(held.bad, held.probability, held.accounts, confidence=limits.confidence)
    ratio = "Brier score of the deployed model / that of the base rate"
    return [
        _inside("deployed_auc", "AUC of the deployed model", found["auc"], low=limits.auc_floor),
        _inside("deployed_brier_ratio", ratio, found["brier_ratio"], high=limits.brier_ceiling_ratio),
        *_calibration(limits, held),
    ]


def _calibration(limits: GateLimits, held: HeldOut) -> list[Check]:
    found = evaluate(held.bad, held.probability, held.accounts, confidence=limits.confidence)
    return [
        _inside("calibration_slope", "Calibration slope", found["calibration_slope"], *limits.calibration_slope),
        _inside("calibration_intercept", "Calibration intercept", found["calibration_intercept"], *limits.calibration_intercept),
    ]


def _out_of_time(
    limits: GateLimits, bad: Bools, challenger: Floats, champion: Floats | None, accounts: NDArray[Any]
) -> list[Check]:
    """Calibration where no calibration has seen the rows: that of the recipe on the month after.

    Outside the limits it refuses, unless the champion is as far outside on the same rows: then it stays open for people.
    """
    asked = {
        "calibration_slope": ("out_of_time_slope", limits.out_of_time_slope or limits.calibration_slope),
        "calibration_intercept": ("out_of_time_intercept", limits.out_of_time_intercept or limits.calibration_intercept),
    }
    ours, theirs = (
        evaluate(bad, probability, accounts, confidence=limits.confidence) if probability is not None else None
        for probability in (challenger, champion)
    )
    assert ours is not None
    checks = []
    for measure, (name, (low, high)) in asked.items():
        check = _inside(name, f"{measure.replace('_', ' ').capitalize()} out of time", ours[measure], low, high)
        if theirs is not None and not check.passed and _beyond(ours[measure], low, high) <= _reach(theirs[measure], low, high):
            words = f" The champion's is {theirs[measure].value:.4f} on the same accounts: the level moved for both."
            check = replace(check, sentence=check.sentence + words, excused=True)
        checks.append(check)
    return checks


def _beyond(found: Estimate, low: float, high: float) -> float:
    """How far a value lies outside; below 0 inside."""
    return max(low - found.value, found.value - high)


def _reach(found: Estimate, low: float, high: float) -> float:
    """How far outside an interval reaches."""
    return max(low - found.low, found.high - high)


def _inside(name: str, title: str, found: Estimate, low: float = -inf, high: float = inf) -> Check:
    """The whole interval lies within the limits; the check's value is the end that is nearest to leaving them."""
    worst = found.low if found.low - low < high - found.high else found.high
    limit = " and ".join(f"{sign} {end:g}" for sign, end in ((">=", low), ("<=", high)) if isfinite(end))
    passed = low <= found.low and found.high <= high
    sentence = f"{title} is {found.value:.4f} (interval {found.low:.4f} to {found.high:.4f}); all of it must be {limit}."
    return Check(name, worst, limit, passed, sentence)


def _parity(parity: Parity | None, rows: int) -> list[Check]:
    """The graph that would be served was compared with the estimator on at least the rows judged here."""
    seen = parity or Parity(0, float("nan"), -1)
    covered = seen.rows >= rows
    where = f"on {seen.rows:,} rows ({rows:,} needed)"
    return [
        Check(
            "parity",
            seen.difference,
            f"<= {PARITY:g}",
            covered and abs(seen.difference) <= PARITY,
            f"Graph and estimator differ by at most {seen.difference:.2g} {where}, {PARITY:g} is allowed.",
        ),
        Check(
            "same_decisions",
            seen.changed_decisions,
            "0",
            covered and seen.changed_decisions == 0,
            f"Graph and estimator decide differently {seen.changed_decisions} times {where}."
            if parity
            else "Graph and estimator were not compared.",
        ),
    ]


def _comparisons(
    limits: GateLimits, bad: Bools, challenger: Floats, champion: Floats, accounts: NDArray[Any], redefined: str
) -> list[Check]:
    auc, brier = (paired_gain(bad, challenger, champion, accounts, metric, limits.confidence) for metric in ("auc", "brier"))
    own = _floors(limits, bad, champion, accounts) + _calibration(limits, HeldOut(bad, champion, accounts))
    return [
        _not_worse("auc_gain", "AUC", auc, limits.auc_margin),
        _not_worse("brier_gain", "Brier score", brier, limits.brier_margin),
        _reason(auc, brier, [check for check in own if not check.passed], redefined),
    ]


def _not_worse(name: str, title: str, gain: Estimate, margin: float) -> Check:
    """Non-inferiority: even the worse end of the paired interval loses no more than the margin."""
    sentence = f"{title}: {_words(gain)} against the champion; the lower end must be >= {-margin:g}."
    return Check(name, gain.low, f">= {-margin:g}", gain.low >= -margin, sentence)


def _reason(auc: Estimate, brier: Estimate, broken: Sequence[Check], redefined: str) -> Check:
    """Something must speak for the change: a gain proven in one and no loss proven in the other, or a broken champion.

    Without "no loss proven" two models could replace each other in turn, each a little better in its own measure.
    """
    proven = max(auc.low, brier.low) if isfinite(auc.low + brier.low) else float("nan")
    better = proven > 0 and min(auc.high, brier.high) >= 0
    verdict = "A proven gain" if better else "A proven gain, but a proven loss as well" if proven > 0 else "No proven gain"
    sentence = f"{redefined} {verdict}: AUC {_words(auc)}, Brier score {_words(brier)}.".lstrip()
    if broken:
        whose = "By the new definition the champion" if redefined else "The champion itself"
        sentence += f" {whose} breaks a floor: " + " ".join(check.sentence for check in broken)
    return Check("reason_to_change", proven, "> 0, or a champion that breaks a floor", better or bool(broken), sentence)


def _words(gain: Estimate) -> str:
    return f"gain {gain.value:+.5f} (interval {gain.low:+.5f} to {gain.high:+.5f})"
