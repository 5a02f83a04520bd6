from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import splits
from models.catalog import find
from models.clock import Month
from models.errors import NotEnoughData
from tests.rings import ACCOUNTS, ring

USE_CASE = find("credit_default")
MAY, JUNE, JULY, AUGUST, SEPTEMBER = MONTHS = [Month(2005, number) for number in range(5, 10)]

month_sets = st.lists(st.builds(Month, st.just(2005), st.integers(1, 12)), max_size=14)
days = st.dates(date(2004, 12, 1), date(2006, 3, 1))
account_rows = st.lists(st.integers(0, 60), min_size=4, max_size=200).filter(lambda rows: len(set(rows)) >= 4)


def names(numbers):
    return np.array([f"A{number:05d}" for number in numbers])


def test_the_newest_matured_cohort_is_out_of_time_and_the_older_ones_develop():
    assert splits.plan(USE_CASE, MONTHS, date(2005, 9, 30)) == splits.Plan((MAY, JUNE, JULY), AUGUST)


def test_a_cohort_counts_from_the_very_day_on_which_its_outcome_is_known():
    assert splits.plan(USE_CASE, MONTHS, JULY.last_day).out_of_time == JUNE
    assert splits.matured(USE_CASE, MONTHS, JULY.last_day - timedelta(days=1)) == (MAY,)


def test_the_first_as_of_of_the_use_case_is_the_first_that_can_be_planned():
    assert splits.plan(USE_CASE, MONTHS, USE_CASE.first_as_of)
    with pytest.raises(NotEnoughData, match="1 matured cohorts as of 2005-07-30 \\(2005-05\\)"):
        splits.plan(USE_CASE, MONTHS, USE_CASE.first_as_of - timedelta(days=1))


@given(month_sets, days)
def test_no_plan_holds_a_month_whose_outcome_is_after_the_as_of_day(months, as_of):
    try:
        plan = splits.plan(USE_CASE, months, as_of)
    except NotEnoughData:
        assert len(splits.matured(USE_CASE, months, as_of)) < 2
        return
    used = (*plan.development, plan.out_of_time)
    assert all(USE_CASE.matured_at(month) <= as_of for month in used)
    assert list(used) == sorted(set(used))
    assert set(used) == {month for month in months if USE_CASE.matured_at(month) <= as_of}


@given(account_rows, st.integers(2, 4), st.integers(0, 5))
def test_an_account_is_never_on_both_sides_of_a_fold(rows, count, seed):
    accounts = names(rows)
    for train, valid in splits.folds(accounts, count, seed):
        assert not set(accounts[train]) & set(accounts[valid])
        assert len(train) + len(valid) == len(accounts)


@given(account_rows, st.integers(2, 4), st.integers(0, 5))
def test_every_row_is_validated_in_exactly_one_fold(rows, count, seed):
    valid = np.concatenate([valid for _, valid in splits.folds(names(rows), count, seed)])
    assert sorted(valid) == list(range(len(rows)))


@given(account_rows, st.integers(0, 5))
def test_other_names_for_the_accounts_move_no_row_to_another_fold(rows, seed):
    accounts = names(rows)
    for (_, before), (_, after) in zip(
        splits.folds(accounts, 3, seed), splits.folds(ACCOUNTS.pseudonyms(accounts), 3, seed), strict=True
    ):
        assert np.array_equal(before, after)


def test_accounts_are_numbered_as_they_first_appear():
    assert splits.numbered(np.array(["B", "C", "B", "A", "C"])).tolist() == [0, 1, 0, 2, 1]


def test_another_seed_gives_other_folds():
    accounts = names(range(100))
    assert not np.array_equal(splits.folds(accounts, 5, 0)[0][1], splits.folds(accounts, 5, 1)[0][1])


def test_folds_are_of_equal_size_when_every_account_comes_once():
    assert [len(valid) for _, valid in splits.folds(names(range(103)), 5, 0)] == [21, 21, 21, 20, 20]


def test_more_folds_than_accounts_are_refused():
    with pytest.raises(NotEnoughData, match="3 accounts cannot be cut into 5 folds"):
        splits.folds(names([1, 2, 3, 3, 2, 1]), 5, 0)


@given(account_rows, st.floats(0, 1), st.floats(0, 1))
def test_an_account_held_out_at_a_small_share_is_held_out_at_a_larger_one(rows, one, other):
    accounts = names(rows)
    few, many = splits.held_out(accounts, min(one, other)), splits.held_out(accounts, max(one, other))
    assert not np.any(few & ~many)


@given(account_rows)
def test_an_account_is_held_out_in_all_of_its_months_or_in_none(rows):
    accounts = names(rows)
    mask = splits.held_out(accounts)
    assert all(len(set(mask[accounts == account])) == 1 for account in accounts)


def test_the_held_out_accounts_are_the_same_on_every_machine_and_in_every_run():
    held = splits.held_out(names(range(1, 31)))
    assert (np.flatnonzero(held) + 1).tolist() == [11, 12, 14, 17, 21, 23, 25, 28, 29]


@given(account_rows, st.floats(0, 1))
def test_no_key_and_no_rotation_changes_who_is_held_out(rows, share):
    accounts = names(rows)
    plain, hidden = splits.held_out(accounts, share), splits.held_out(ACCOUNTS.pseudonyms(accounts), share)
    later = ring("abc").lifted(ACCOUNTS.pseudonyms(accounts))
    assert np.array_equal(plain, hidden)
    assert np.array_equal(plain, splits.held_out(later, share))


def test_about_a_fifth_of_the_accounts_is_held_out():
    assert splits.held_out(names(range(30_000))).mean() == pytest.approx(0.2, abs=0.01)
