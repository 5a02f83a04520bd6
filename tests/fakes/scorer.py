"""A graph that is a text: the probability of an account that is not behind; ten points more for each month behind."""

import numpy as np
from numpy.typing import NDArray

from models.errors import Integrity


class FakeScorer:
    """`FakeScorer(b"0.25")`. The second packed input is `status_0`."""

    def __init__(self, graph: bytes) -> None:
        try:
            self._base = float(graph)
        except ValueError as error:
            raise Integrity("the graph cannot be loaded", hint="seal it again") from error

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._base + 0.1 * np.maximum(inputs[:, 1], 0.0)
