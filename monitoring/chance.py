"""What chance alone does to a month's bad rate and AUC: the least that a rule about outcomes may call a change.

A policy's limit is meant for a full portfolio. On a few hundred outcomes both figures pass it now and then although
nothing changed. So the limit used is the larger of the policy's value and the one that pure chance exceeds in
`FALSE_ALARMS` of the months, both rules taken together (Bonferroni), as `monitoring.drift` does for shifts.
"""

from math import exp, hypot, sqrt
from statistics import NormalDist

FALSE_ALARMS = 0.01
"""The chance that either rule, the bad rate or the AUC, passes its chance limit in a month although the model holds."""

_EACH = FALSE_ALARMS / 2
_TINY, _ENOUGH = 1e-6, 50.0  # an AUC of 0 or 1 has no odds; exp(50) times them leaves nothing


def rate_limits(predicted: float, rows: int) -> tuple[float, float]:
    """The lowest and the highest bad rate that chance explains on this many independent rows.

    These are the rates whose Wilson interval with continuity correction (Wilson 1927; Newcombe 1998) still holds the
    predicted one. The binomial variance is the most that rows of unequal probabilities can have (Hoeffding 1956), so
    the false alarms are at most as frequent as stated.
    """
    error = sqrt(predicted * (1 - predicted) / rows)
    reach = NormalDist().inv_cdf(1 - _EACH / 2) * error + 1 / (2 * rows)
    return max(predicted - reach, 0.0), min(predicted + reach, 1.0)


def largest_fall(reference: float, reference_error: float, seen: float, error: float) -> float:
    """How far below the reference's AUC a month's may lie by chance: two independent estimates, compared as log-odds.

    On that scale their difference is close to normal also for the few and well separated (delta method; Pepe 2003,
    5.2.4). Where accounts of the reference come again in the month, both move together and chance does less than this.
    """
    spread = hypot(_on_log_odds(reference, reference_error), _on_log_odds(seen, error))
    odds_against = (1 - _inside(reference)) / _inside(reference)
    return reference - 1 / (1 + odds_against * exp(min(NormalDist().inv_cdf(1 - _EACH) * spread, _ENOUGH)))


def hanley_mcneil(auc: float, bad: int, good: int) -> float:
    """The AUC's standard error from the AUC and the numbers of bad and good rows alone (Hanley & McNeil 1982, eq. 1).

    For samples whose rows are not at hand, or of which DeLong's estimate knows nothing. On skewed scores it is on the
    large side: by a third, measured on this platform's kind of scores.
    """
    bad_pairs, good_pairs = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    square = auc**2
    spread = auc * (1 - auc) + (bad - 1) * (bad_pairs - square) + (good - 1) * (good_pairs - square)
    return sqrt(max(spread, 0.0) / (bad * good))


def _on_log_odds(auc: float, error: float) -> float:
    return error / (_inside(auc) * (1 - _inside(auc)))


def _inside(auc: float) -> float:
    return min(max(auc, _TINY), 1 - _TINY)
