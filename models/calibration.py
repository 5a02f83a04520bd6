"""From log-odds to a probability that keeps its promise: two numbers, which the graph carries as they are."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.errors import NotEnoughData

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """calibrated log-odds = intercept + slope * log-odds. The slope is positive: the order of accounts never changes."""

    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if not (self.slope > 0 and np.isfinite(self.slope) and np.isfinite(self.intercept)):
            raise ValueError(f"a calibration needs a positive slope and finite numbers, not {self.slope} and {self.intercept}")

    def apply(self, log_odds: Floats) -> Floats:
        """Probabilities, shape (n,)."""
        return sigmoid(self.slope * log_odds + self.intercept)

    def to_dict(self) -> dict[str, float]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(float(data["slope"]), float(data["intercept"]))


IDENTITY = Calibration()
_STILL = 1e-10  # Newton's method has arrived


def sigmoid(log_odds: Floats) -> Floats:
    """1 / (1 + exp(-x)), exponentiating only negative numbers so that nothing overflows."""
    small = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0, 1.0, small) / (1.0 + small)


def platt(log_odds: Floats, bad: NDArray[np.bool_]) -> Calibration:
    """Logistic regression of the outcome on the log-odds, with Platt's targets (Platt 1999), by Newton's method.

    The targets stand a little inside 0 and 1, so a solution exists even if the scores separate bad from good. Shapes
    (n,). Raises `NotEnoughData` without both outcomes, or if higher scores do not go with more bads.
    """
    bads, goods = int(bad.sum()), int((~bad).sum())
    if not (bads and goods):
        raise NotEnoughData(f"{bads} bad and {goods} good accounts cannot calibrate a model", hint="calibrate on more accounts")
    target = np.where(bad, (bads + 1) / (bads + 2), 1 / (goods + 2))
    X = np.column_stack([log_odds, np.ones(len(bad))])
    at = _newton(X, target)
    if at is None or at[0] <= 0:
        raise NotEnoughData(
            f"{len(bad)} accounts, {bads} of them bad, do not show that a higher score means more bads",
            hint="calibrate on more accounts, or on accounts of the same definition of bad",
        )
    return Calibration(float(at[0]), float(at[1]))


def _newton(X: Floats, target: Floats) -> Floats | None:
    """Coefficients of the maximum likelihood, shape (2,), from "calibrated already" on; None if there is no one answer."""
    at = np.array([1.0, 0.0])
    for _ in range(50):
        fitted = sigmoid(X @ at)
        information = (X * (fitted * (1 - fitted))[:, None]).T @ X
        if not np.linalg.cond(information) < 1e12:
            return None
        step = np.linalg.solve(information, X.T @ (target - fitted))
        while np.abs(step).max() > _STILL and _loss(X @ (at + step), target) > _loss(X @ at, target):
            step = step / 2  # overshot; the likelihood is concave
        at = at + step
        if np.abs(step).max() <= _STILL:
            return np.asarray(at)
    return None


def _loss(log_odds: Floats, target: Floats) -> float:
    return float(np.sum(np.logaddexp(0, log_odds) - target * log_odds))
