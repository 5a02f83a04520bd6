"""Running a graph: the port, and the check that every loaded bundle must pass before it may answer."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.errors import Integrity


class Scorer(Protocol):
    """Safe for several threads. A row's result does not depend on the rows around it."""

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Packed contract inputs, shape (rows, inputs), to raw probabilities, shape (rows,)."""
        ...

    def log_odds(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same before the sigmoid: calibrated log-odds, shape (rows,), in which contributions add up."""
        ...


def check_golden_rows(bundle: Bundle, scorer: Scorer) -> None:
    """Score the golden rows and compare the quantised result exactly. Raises `Integrity`."""
    golden = bundle.part("golden.json")
    scores = bundle.policy.quantise(scorer.probabilities(np.array(golden["inputs"], dtype=np.float64)))
    expected = np.array(golden["probabilities"])
    if wrong := np.flatnonzero(scores != expected).tolist():
        row = wrong[0]
        raise Integrity(
            f"{len(wrong)} of {len(expected)} golden rows score differently; row {row}: {scores[row]}, expected {expected[row]}",
            hint="the runtime or the machine computes otherwise than the one that sealed the bundle; do not serve it",
        )
