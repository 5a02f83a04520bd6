"""What is unlike the accounts that a model was made from is named."""

import numpy as np
import pytest

from models.credit_default import USE_CASE
from models.errors import Integrity
from models.governance.doubt.familiar import Familiar, learned
from tests.samples import rows

CONTRACT = USE_CASE.contract
DEVELOPMENT = rows(4_000)
FAMILIAR = learned(CONTRACT, DEVELOPMENT, 0.02)


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
    found = learned(CONTRACT, without, 0.02).strange(packed(status_0=2, status_1=-2))

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


def test_it_survives_the_bundle_and_is_refused_if_an_input_is_missing() -> None:
    data = FAMILIAR.to_dict()

    assert Familiar.from_dict(data, CONTRACT) == FAMILIAR
    with pytest.raises(Integrity, match="does not speak of the contract's inputs"):
        Familiar.from_dict(data | {"ranges": data["ranges"][1:]}, CONTRACT)
