from datetime import date
from typing import Any

import numpy as np
import pytest

from models import catalog
from models.clock import Month
from models.contract import REQUEST_ROLES
from models.errors import InputRefused
from models.lake import OUTCOMES, SNAPSHOTS
from pipelines.generation.credit_cards import JITTER, MOVED, ROUND_TO, panel
from pipelines.generation.panel import CHUNK, Part, Recipe, account_names, generated, sources

JULY, JUNE = Month(2005, 7), Month(2005, 6)
CONTRACT = catalog.find("credit_default").contract


def recipe(rows: int = 40_000, months: Any = (JUNE, JULY), seed: int = 1, jitter: float = JITTER) -> Recipe:
    return Recipe.of(panel(), rows, months, seed, jitter)


def snapshot(made: Recipe, month: Month = JULY) -> Any:
    part = next(part for part in made.parts() if part.month == month)
    return generated(panel(), made, part)[SNAPSHOTS]


def test_as_many_rows_are_made_as_were_asked_for() -> None:
    for rows in (2, 3, 262_144, 1_000_001):
        assert sum(part.rows for part in recipe(rows).parts()) == rows
    assert list(recipe(CHUNK * 3, [JULY]).parts()) == [Part(JULY, number, CHUNK) for number in range(3)]


def test_the_same_seed_makes_the_same_rows_and_another_seed_others() -> None:
    one, again, other = (snapshot(recipe(seed=seed)) for seed in (1, 1, 2))

    assert all((one[name] == again[name]).all() for name in one)
    assert not (one["bill_0"] == other["bill_0"]).all()


def test_a_smaller_lake_is_the_beginning_of_a_larger_one() -> None:
    small, large = snapshot(recipe(2_000)), snapshot(recipe(40_000))

    assert all((small[name] == large[name][:1_000]).all() for name in small)


def test_every_row_keeps_the_contract() -> None:
    made = snapshot(recipe(2_000, jitter=1.0))
    model = CONTRACT.request_model()

    assert made.keys() == set(CONTRACT.named(*REQUEST_ROLES))
    for row in zip(*(values.tolist() for values in made.values()), strict=True):
        model.model_validate(dict(zip(made, row, strict=True)))


def test_an_account_runs_on_from_month_to_month() -> None:
    """This month's earlier status and bill are last month's: the panel has it so for every account."""
    june, july = (snapshot(recipe(), month) for month in (JUNE, JULY))

    assert (june["account_id"] == july["account_id"]).all()
    assert (june["status_0"] == july["status_1"]).all()
    assert (june["bill_0"] == july["bill_1"]).all()


def test_who_paid_the_bill_in_full_still_does() -> None:
    made, real = snapshot(recipe(jitter=0.2)), panel().snapshots[JULY]
    chosen, _ = sources(panel(), recipe(jitter=0.2), 0)
    in_full = (real["payment_0"] == real["bill_1"])[chosen[:20_000]]

    assert in_full.mean() > 0.05
    assert ((made["payment_0"] == made["bill_1"]) >= in_full).all()


def test_amounts_move_by_the_factor_of_their_account_unless_they_are_round() -> None:
    made, real = snapshot(recipe()), panel().snapshots[JULY]
    chosen, factor = (values[:20_000] for values in sources(panel(), recipe(), 0))
    for name in MOVED:
        before = real[name][chosen]
        round_ones = before % ROUND_TO == 0
        assert (made[name][round_ones] == before[round_ones]).all()
        assert (np.abs(made[name] - before * factor)[~round_ones] <= 0.5).all()
    assert (made["credit_limit"] == real["credit_limit"][chosen]).all()


def test_the_outcome_is_the_real_accounts_own_and_read_by_its_own_definition() -> None:
    use_case, made = catalog.find("credit_default"), recipe()
    for part in made.parts():
        outcome = generated(panel(), made, part)[OUTCOMES]
        cohort = use_case.source().cohort(part.month, date(2005, 12, 31))
        chosen = sources(panel(), made, part.number)[0][: part.rows]
        assert cohort.outcome_codes is not None
        assert (outcome["outcome_code"] == cohort.outcome_codes[chosen]).all()
        definition = use_case.definitions[use_case.as_coded[cohort.coding]]
        assert (outcome["bad"] == definition.bad(outcome["outcome_code"])).all()


def test_accounts_have_names_of_their_own() -> None:
    assert account_names(8, 3).tolist() == ["G000000008", "G000000009", "G000000010"]
    assert account_names(123_456_789, 1).tolist() == ["G123456789"]


def test_no_audit_column_is_generated() -> None:
    made = generated(panel(), recipe(10), next(recipe(10).parts()))

    assert not {"sex", "education", "marriage", "age"} & {name for columns in made.values() for name in columns}


def test_what_cannot_be_generated_is_refused() -> None:
    with pytest.raises(InputRefused, match="no month 2006-01"):
        recipe(months=[Month(2006, 1)])
    with pytest.raises(InputRefused, match="cannot be made"):
        recipe(1)
    with pytest.raises(InputRefused, match="jitter"):
        recipe(jitter=1.5)
