"""What the owner declares is compared with what the data say: the tier rests on it."""

from dataclasses import replace

import pytest

from models.credit_default import USE_CASE
from models.errors import Held
from models.governance.inventory import Inventory
from models.usecase import UseCase
from pipelines.exposure import ensure_declared, measured
from tests.datasets import dataset

DATA = dataset(("2005-05", "2005-06"))
NEWEST = float(DATA.columns["credit_limit"][DATA.months == "2005-06"].sum())


def declaring(amount: float) -> UseCase:
    exposure = USE_CASE.inventory.exposure.model_copy(update={"amount": amount})
    return replace(USE_CASE, inventory=USE_CASE.inventory.model_copy(update={"exposure": exposure}))


def holding(total: float, declared: float) -> UseCase:
    """A use case whose data say a total of their own."""
    return replace(declaring(declared), exposure=lambda _: total)


def test_the_running_example_measures_the_credit_limits_of_its_newest_month() -> None:
    found = measured(USE_CASE, DATA)
    assert found is not None
    assert (found.month, found.amount, found.declared, found.unit) == ("2005-06", NEWEST, 5_024_529_680, "TWD")
    assert found.ratio == pytest.approx(NEWEST / 5_024_529_680)


@pytest.mark.parametrize(
    ("total", "declared", "held"),
    [
        (1.09e9, 1.0e9, False),  # the book grew a little
        (1.11e9, 1.0e9, True),
        (1.02e10, 0.99e10, True),  # by little, and into a graver tier
        (9.5e9, 9.0e9, False),
        (1.0e9, 5.0e9, False),  # a sample, or declared with care
        (0.0, 5.0e9, False),
    ],
)
def test_an_exposure_that_is_declared_too_small_is_held(total: float, declared: float, held: bool) -> None:
    found = measured(holding(total, declared), DATA)
    if held:
        with pytest.raises(Held, match="the inventory declares an exposure of"):
            ensure_declared(found)
    else:
        ensure_declared(found)


def test_the_tier_that_would_follow_is_named() -> None:
    with pytest.raises(Held, match="say 15,024,529,680, which would be tier 1, not 2"):
        ensure_declared(measured(holding(15_024_529_680, 9_024_529_680), DATA))


def test_what_the_data_do_not_hold_and_what_is_not_declared_are_not_compared() -> None:
    assert measured(replace(USE_CASE, exposure=None), DATA) is None
    assert measured(replace(USE_CASE, inventory=Inventory()), DATA) is None
    ensure_declared(None)
