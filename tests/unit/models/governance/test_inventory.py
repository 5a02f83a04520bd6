"""What a model's owner declares, and what follows from it."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from models import catalog
from models.credit_default import USE_CASE
from models.errors import Integrity, NotApproved
from models.governance.inventory import BANDS, OVERSIGHT, PART, TIERS, Exposure, Inventory, PurposeClass, declared, oversight
from pipelines.supply import BILL, LICENCES
from tests.office import paper_bundle

WHOLE: dict[str, Any] = USE_CASE.inventory.model_dump()


def with_exposure(amount: float, purpose: PurposeClass, unit: str = "TWD") -> Inventory:
    return Inventory(**WHOLE | {"purpose_class": purpose, "exposure": Exposure(amount=amount, unit=unit, source="the ledger")})


@pytest.mark.parametrize("name", catalog.names())
def test_every_use_case_declares_everything(name: str) -> None:
    assert catalog.find(name).inventory.missing() == []


@pytest.mark.parametrize(
    ("field", "nothing"),
    [
        ("owner", " "),
        ("purpose", ""),
        ("purpose_class", None),
        ("permitted", ()),
        ("forbidden", ("credit", " ")),
        ("amount", 0),
        ("unit", ""),
        ("source", ""),
    ],
)
def test_any_empty_field_is_named_and_nothing_applies_until_it_is_filled(field: str, nothing: object) -> None:
    exposure = WHOLE["exposure"]
    changed = {"exposure": exposure | {field: nothing}} if field in exposure else {field: nothing}
    found = Inventory(**WHOLE | changed)

    assert found.missing() == [field]
    with pytest.raises(NotApproved, match=f"leaves out: {field}"):
        oversight(found)


def test_an_undeclared_inventory_lacks_everything() -> None:
    assert len(Inventory().missing()) == 8


@pytest.mark.parametrize(
    ("purpose", "unit", "amounts", "tiers"),
    [
        ("decides about customers", "TWD", (999_999_999, 1_000_000_000, 9_999_999_999, 10_000_000_000), (2, 2, 2, 1)),
        ("decides about customers", "USD", (1, 30_000_000, 299_999_999, 300_000_000), (2, 2, 2, 1)),
        ("capital or financial reporting", "EUR", (1, 29_999_999, 30_000_000, 300_000_000), (2, 2, 1, 1)),
        ("steers risk or price", "TWD", (1, 1_000_000_000, 9_999_999_999, 10_000_000_000), (3, 2, 2, 1)),
        ("supports people at work", "accounts", (1, 10_000, 999_999, 1_000_000), (3, 3, 3, 2)),
    ],
)
def test_the_tier_is_exposure_by_purpose(purpose: str, unit: str, amounts: tuple[int, ...], tiers: tuple[int, ...]) -> None:
    """By hand, and not from the table itself: who changes the table answers for it here."""
    assert tuple(oversight(with_exposure(amount, PurposeClass(purpose), unit)).tier for amount in amounts) == tiers


def test_every_purpose_is_weighed() -> None:
    assert set(TIERS) == set(PurposeClass)
    assert set(BANDS) == {"TWD", "USD", "EUR", "accounts"}


@pytest.mark.parametrize(("tier", "approvers", "days", "months"), [(1, 2, 180, 1), (2, 1, 365, 1), (3, 1, 730, 3)])
def test_what_a_tier_asks_for(tier: int, approvers: int, days: int, months: int) -> None:
    rules = OVERSIGHT[tier]
    assert (rules.tier, rules.approvers, rules.approval_days, rules.monitoring_months) == (tier, approvers, days, months)
    assert bool(rules.pack) is (tier < 3)
    assert rules.canary_accounts == (1_000 if tier < 3 else 0)


def test_a_graver_tier_never_asks_for_less() -> None:
    first, second, third = (OVERSIGHT[tier] for tier in (1, 2, 3))

    assert first.approvers == 2
    assert first.approvers >= second.approvers >= third.approvers == 1
    assert first.approval_days <= second.approval_days <= third.approval_days
    assert first.monitoring_months <= second.monitoring_months <= third.monitoring_months
    assert first.canary_accounts >= second.canary_accounts >= third.canary_accounts
    assert set(first.evidence) >= set(second.evidence) >= set(third.evidence)


def test_an_exposure_in_a_unit_that_nobody_weighed_is_not_guessed() -> None:
    with pytest.raises(NotApproved, match="'tulips' cannot be weighed"):
        oversight(with_exposure(1e12, PurposeClass.SUPPORT, unit="tulips"))


def test_the_exposure_of_the_running_example_is_that_of_its_accounts() -> None:
    limits = {
        month: USE_CASE.source().cohort(month, date(2005, 12, 31)).columns["credit_limit"].sum()
        for month in USE_CASE.source().months()
    }

    assert set(limits.values()) == {USE_CASE.inventory.exposure.amount}


def test_what_is_declared_is_read_from_the_bundle() -> None:
    assert declared(paper_bundle("first")) == USE_CASE.inventory


def test_a_bundle_without_an_inventory_or_with_a_broken_one_is_refused() -> None:
    bundle = paper_bundle("first")
    without = type(bundle)({name: data for name, data in bundle.files.items() if name != PART})

    with pytest.raises(NotApproved, match=r"has no inventory\.json"):
        declared(without)
    with pytest.raises(Integrity, match="cannot be read"):
        declared(paper_bundle("first", inventory=b'{"owner": 1}'))


def test_a_misspelt_field_is_an_error_at_once() -> None:
    with pytest.raises(ValidationError):
        Inventory.model_validate({"ovner": "somebody"})


@pytest.mark.parametrize("tier", OVERSIGHT)
def test_what_a_model_was_made_with_is_part_of_what_approvers_sign(tier: int) -> None:
    assert {BILL, LICENCES} <= set(OVERSIGHT[tier].evidence)
