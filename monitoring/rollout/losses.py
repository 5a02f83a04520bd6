"""Whether a shadow's drop in favourable decisions is more than chance: bets on who loses and who gains, on the same accounts.

Of each account that both scored the difference is 1 (only the champion favours it), -1 (only the challenger does) or 0. As long
as it is `drop` on average or less, whatever came before, capital that is multiplied by 1 + stake * (difference - drop) gains
nothing on average: a test supermartingale for every stake from 0 to 1 / (1 + drop), and so is their mixture (Waudby-Smith &
Ramdas 2024, J. R. Stat. Soc. B 86). The chance that it ever reaches 1 / a is a at most, however often one looks (Ville 1939).
"""

from math import exp, log

import numpy as np

from monitoring.rollout.observations import Pairs

_STAKES = (0.05, 0.1, 0.2, 0.4, 0.8)  # of the largest: small ones for small drops among many who differ
_LARGEST = 700.0  # exp of more is no number


def evidence(pairs: Pairs, drop: float) -> float:
    """The e-value after these accounts. It depends on the counts alone."""
    stakes = np.array(_STAKES) / (1 + drop)
    alike = pairs.accounts - pairs.lost - pairs.gained
    logs = (
        pairs.lost * np.log1p(stakes * (1 - drop))
        + pairs.gained * np.log1p(-stakes * (1 + drop))
        + alike * np.log1p(-stakes * drop)
    )
    return exp(min(float(np.logaddexp.reduce(logs)) - log(len(stakes)), _LARGEST))
