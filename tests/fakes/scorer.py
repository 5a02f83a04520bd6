"""A graph that is a text: the probability of an account that is not behind; ten points more for each month behind.

An account with a limit of a million or more lies just below the reduce cut-off: somebody to be compared with.
"""

import numpy as np
from numpy.typing import NDArray

from models.errors import Integrity

JUST_BELOW = 0.34


class FakeScorer:
    """`FakeScorer(b"0.25")`. The second packed input is `status_0`."""

    def __init__(self, graph: bytes) -> None:
        try:
            self._base = float(graph)
        except ValueError as error:
            raise Integrity("the graph cannot be loaded", hint="seal it again") from error

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        behind = self._base + 0.1 * np.maximum(inputs[:, 1], 0.0)
        return np.where(inputs[:, 0] >= 1_000_000, JUST_BELOW, behind)

    def log_odds(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        found = self.probabilities(inputs)
        return np.log(found / (1 - found))
