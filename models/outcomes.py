"""What "bad" means, in versions: a definition can change without the table changing shape.

A cohort's outcome arrives as a code of the month after. A definition turns codes into bad or good, and says which
coding it can read; codes of another coding have no comparable outcome.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class OutcomeDefinition:
    """One accepted reading of the outcome codes.

    `rule` is the sentence people sign; `bad` maps codes (n,) to booleans (n,); `codings` are the source codings
    that the rule can read.
    """

    version: int
    rule: str
    codings: frozenset[str]
    bad: Callable[[NDArray[np.int64]], NDArray[np.bool_]]
