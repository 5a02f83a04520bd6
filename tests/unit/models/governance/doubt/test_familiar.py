"""What is unlike the accounts that a model was made from is named."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default import USE_CASE
from models.errors import Integrity, Misconfigured
from models.governance.doubt.familiar import Familiar
from models.governance.doubt.learning import learned
from models.governance.doubt.together import Measure, Within
from models.policy import Together
from tests.bundles import ROBUSTNESS
from tests.samples import rows

CONTRACT = USE_CASE.contract
DEVELOPMENT = rows(4_000)
LIMITS = ROBUSTNESS.model_copy(update={"flagged": 0.02})
FAMILIAR = learned(CONTRACT, DEVELOPMENT, LIMITS)


def packed(**changes: float) -> np.ndarray:
    """The account in the middle of everything, but for these inputs."""
    middle = {name: float(np.median(DEVELOPMENT[name])) for name in CONTRACT.inputs} | {"status_0": 0.0, "status_1": 0.0}
    return np.array([[(middle | changes)[name] for name in CONTRACT.inputs]])


def named(**changes: float) -> set[str]:
    return {name for name, odd in zip(CONTRACT.inputs, FAMILIAR.strange(packed(**changes))[0], strict=True) if odd}


def test_the_stated_share_of_the_development_accounts_is_flagged_and_no_more() -> None:
    own = FAMILIAR.strange(CONTRACT.matrix(DEVELOPMENT)).any(axis=1).mean()

    assert own == FAMILIAR.flagged
    assert 0.015 < own <= 0.02


def test_an_ordinary_account_is_not_flagged() -> None:
    assert named() == set()


@pytest.mark.parametrize("change", [{"bill_0": 4_000_000.0}, {"bill_1": -4_000_000.0}, {"credit_limit": 50.0}])
def test_an_amount_outside_of_what_was_seen_is_named(change: dict[str, float]) -> None:
    assert named(**change) == set(change)


def test_the_ends_of_a_range_are_still_familiar() -> None:
    for each in FAMILIAR.ranges:
        assert named(**{each.column: each.low}) == set()
        assert named(**{each.column: each.high}) == set()
        assert named(**{each.column: np.nextafter(each.high, np.inf)}) == {each.column}


def test_codes_that_were_never_seen_together_are_named_though_each_is_common() -> None:
    kept = ~((DEVELOPMENT["status_0"] == 2) & (DEVELOPMENT["status_1"] == -2))
    without = {name: values[kept] for name, values in DEVELOPMENT.items()}
    found = learned(CONTRACT, without, LIMITS).strange(packed(status_0=2, status_1=-2))

    assert dict(zip(CONTRACT.inputs, found[0].tolist(), strict=True)) == {
        name: name.startswith("status") for name in CONTRACT.inputs
    }


def test_what_is_not_a_number_is_never_familiar() -> None:
    assert named(bill_0=float("nan")) == {"bill_0"}
    assert named(status_0=float("nan")) >= {"status_0"}


def test_an_account_is_judged_alone_as_among_others() -> None:
    odd = [packed(**change) for change in ({"status_0": 0.5}, {"status_1": 99}, {"bill_0": float("nan")}, {"bill_1": np.inf})]
    matrix = np.concatenate([CONTRACT.matrix(rows(300, seed=3)), *odd])
    alone = np.concatenate([FAMILIAR.strange(row[None]) for row in matrix])

    assert np.array_equal(alone, FAMILIAR.strange(matrix))
    assert alone[-4:].any(axis=1).all()


BY_THE_LIMIT = Together(plus=("bill_0",), over="credit_limit")
SPENT = Together(plus=("bill_0", "payment_0"), minus=("bill_1",))
LEFT = Together(plus=("bill_1",), minus=("payment_0",))
GROWN = Together(plus=("bill_0",), minus=("bill_1",))
TOGETHER = LIMITS.model_copy(update={"compared": (BY_THE_LIMIT, SPENT), "signs": (LEFT, GROWN)})


def consistent(count: int = 4_000, seed: int = 11) -> dict[str, np.ndarray]:
    """Accounts that owe up to their limit, spend some hundreds, and are behind only where they left something unpaid."""
    rng = np.random.default_rng(seed)
    limit = rng.integers(1, 50, count) * 10_000.0
    before = np.round(limit * rng.uniform(0, 1, count))
    paid = np.round(before * rng.choice([0.2, 1.0], count))
    behind = np.where(paid < before, rng.choice([0, 2], count), 0)
    amounts = {"bill_0": before - paid + rng.integers(100, 900, count), "bill_1": before, "payment_0": paid}
    return {"credit_limit": limit, "status_0": behind, "status_1": behind, "payment_1": np.zeros(count), **amounts}


CONSISTENT = consistent()
TIED = learned(CONTRACT, CONSISTENT, TOGETHER)


def tied(**changes: float) -> set[str]:
    """What is odd about an account like these, but for the changes."""
    own = {"credit_limit": 100_000.0, "status_0": 0.0, "status_1": 0.0, "bill_0": 40_500.0, "bill_1": 50_000.0}
    account = own | {"payment_0": 10_000.0, "payment_1": 0.0} | changes
    found = TIED.strange(np.array([[account[name] for name in CONTRACT.inputs]]))[0]
    return {name for name, odd in zip(CONTRACT.inputs, found, strict=True) if odd}


def test_amounts_that_are_common_alone_and_never_together_are_named() -> None:
    assert tied() == set()
    assert tied(credit_limit=10_000.0) == {"credit_limit", "bill_0"}
    assert tied(bill_0=70_500.0) == {"bill_0", "payment_0", "bill_1"}


def test_codes_that_go_with_no_such_sign_are_named_with_its_amounts() -> None:
    assert tied(status_0=2, status_1=2) == set()
    settled = {"payment_0": 50_000.0, "bill_0": 500.0}
    assert tied(**settled) == set()
    assert tied(status_0=2, status_1=2, **settled) == {"status_0", "status_1", "bill_0", "bill_1", "payment_0"}


def test_what_is_odd_by_itself_names_nothing_that_it_is_taken_together_with() -> None:
    assert tied(status_0=2, status_1=0) == {"status_0", "status_1"}
    assert tied(bill_0=4_000_000.0) == {"bill_0"}


def test_all_that_is_looked_at_shares_the_flags() -> None:
    matrix = CONTRACT.matrix(CONSISTENT)
    assert TIED.strange(matrix).any(axis=1).mean() == TIED.flagged <= 0.02
    rng = np.random.default_rng(3)
    mixed = {name: rng.permutation(values) for name, values in CONSISTENT.items()}
    alone = learned(CONTRACT, CONSISTENT, LIMITS)
    assert (
        TIED.strange(CONTRACT.matrix(mixed)).any(axis=1).mean() > alone.strange(CONTRACT.matrix(mixed)).any(axis=1).mean() + 0.3
    )


AMOUNTS = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 0.1, 0.2, 0.3, 1e-300, 1e300, 100.0])
CODES = st.sampled_from([-2.0, 0.0, 2.0, 0.5, 64.0, 99.0, float("nan")])


@given(st.lists(st.tuples(AMOUNTS, CODES, CODES, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS), min_size=9, max_size=20))
def test_amounts_taken_together_are_judged_alone_as_among_others(accounts: list[tuple[float, ...]]) -> None:
    matrix = np.concatenate([np.array(accounts), CONTRACT.matrix(consistent(20, seed=4))])
    alone = np.concatenate([TIED.strange(row[None]) for row in matrix])

    assert np.array_equal(alone, TIED.strange(matrix))


@given(st.lists(st.tuples(*[AMOUNTS] * 7), min_size=1, max_size=20))
def test_a_sum_has_the_same_bits_alone_and_among_others_and_is_unfamiliar_alike(accounts: list[tuple[float, ...]]) -> None:
    matrix = np.array([*accounts, (0.0, 0.0, 0.0, 0.1, 0.3, 0.2, 0.0), (-1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)])
    longer = Together(plus=("bill_0", "payment_0", "payment_1"), minus=("bill_1", "credit_limit"))
    for each in (
        BY_THE_LIMIT,
        SPENT,
        LEFT,
        Together(plus=("bill_0",)),
        longer,
        SPENT.model_copy(update={"over": "credit_limit"}),
    ):
        measure = Measure.of(each, CONTRACT.inputs)
        alone = np.array([measure.one(row) for row in matrix.tolist()])
        assert np.array_equal(alone, measure.many(matrix), equal_nan=True)
        within = Within(measure, -1.0, 0.0)
        assert within.lacks(matrix).tolist() == [within.lacks_one(row) for row in matrix.tolist()]


def test_what_is_divided_by_nothing_is_never_familiar() -> None:
    everything = Within(Measure.of(BY_THE_LIMIT, CONTRACT.inputs), -1e300, 1e300)
    rows = np.array([[limit, 0, 0, 1.0, 0, 0, 0] for limit in (1.0, 0.0, -1.0, np.nan)])

    assert everything.lacks(rows).tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ({"compared": (Together(plus=("bill_9",)),)}, "takes bill_9"),
        ({"compared": (Together(plus=("status_0",)),)}, "takes status_0"),
        ({"compared": (Together(plus=("sex",)),)}, "takes sex"),
        ({"compared": (Together(plus=("bill_0",), over="payment_0"),)}, "divides by what may be zero"),
        ({"signs": (BY_THE_LIMIT,)}, "the sign of"),
    ],
)
def test_what_cannot_be_taken_together_is_refused_by_name(limits: dict[str, tuple[Together, ...]], problem: str) -> None:
    with pytest.raises(Misconfigured, match=problem):
        learned(CONTRACT, DEVELOPMENT, LIMITS.model_copy(update=limits))


def test_amounts_of_two_units_are_not_taken_together() -> None:
    euros = replace(CONTRACT, columns=tuple(replace(c, unit="EUR") if c.name == "bill_1" else c for c in CONTRACT.columns))
    with pytest.raises(Misconfigured, match="mixes the units EUR, TWD"):
        learned(euros, DEVELOPMENT, TOGETHER)


def test_what_is_taken_together_survives_the_bundle_and_a_bundle_of_before_has_none() -> None:
    data = json.loads(json.dumps(TIED.to_dict()))

    assert Familiar.from_dict(data, CONTRACT) == TIED
    assert TIED.speaks_of(TOGETHER)
    assert not TIED.speaks_of(LIMITS)
    assert not TIED.speaks_of(TOGETHER.model_copy(update={"signs": (LEFT,)}))
    assert not TIED.speaks_of(TOGETHER.model_copy(update={"compared": (SPENT,)}))
    before = json.loads(json.dumps(FAMILIAR.to_dict()))
    assert before.keys() == {"inputs", "rarer", "flagged", "ranges", "combinations"}
    assert all(each.keys() == {"columns", "seen"} for each in before["combinations"])
    assert Familiar.from_dict(before, CONTRACT).speaks_of(LIMITS)


def test_it_survives_the_bundle_and_is_refused_if_an_input_is_missing() -> None:
    data = FAMILIAR.to_dict()

    assert Familiar.from_dict(data, CONTRACT) == FAMILIAR
    with pytest.raises(Integrity, match="does not speak of the contract's inputs"):
        Familiar.from_dict(data | {"ranges": data["ranges"][1:]}, CONTRACT)
