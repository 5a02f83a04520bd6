"""What a guardrail says: whether its limit holds, by which figures, and in a sentence that stands alone."""

from enum import StrEnum

from models.policy import Frozen


class Standing(StrEnum):
    """Insufficient is said where there is too little to judge by, and is never a pass."""

    WITHIN = "within"
    OUTSIDE = "outside"
    INSUFFICIENT = "insufficient"


class Finding(Frozen):
    """`value` and `limit` are what is compared; a sequential test has its e-value, and its p-value for the whole way so far."""

    name: str
    standing: Standing
    text: str
    value: float | None = None
    limit: float | None = None
    e_value: float | None = None
    e_limit: float | None = None
    p_value: float | None = None


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def e_valued(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}" if value < 1e6 else f"{value:.1e}"


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.2f} ms"
