from datetime import date

import pytest

from models.clock import Month
from models.governance.ledger import Event
from pipelines.openings import Opening, note_opening, opening_of
from tests.office import MODEL, Bank

JULY, AUGUST = Month(2005, 7), Month(2005, 8)


@pytest.fixture
def bank() -> Bank:
    return Bank()


def judged(bank: Bank, bundle: str, month: Month = JULY) -> Opening:
    note_opening(bank.office, MODEL, bundle, month, as_of=date(2005, 8, 31), actor="trainer")
    return opening_of(bank.ledger.entries(MODEL), MODEL, bundle, month)


def test_every_model_judged_on_a_month_opens_it_once_more(bank: Bank) -> None:
    assert judged(bank, "a").sentence == "The out-of-time month 2005-07 was opened once for credit_default."
    judged(bank, "b")
    assert judged(bank, "c").sentence == "The out-of-time month 2005-07 was opened 3 times for credit_default."


def test_the_same_model_again_opens_nothing_and_keeps_its_number(bank: Bank) -> None:
    judged(bank, "a")
    judged(bank, "b")

    again = judged(bank, "a")

    assert bank.events() == [Event.OUT_OF_TIME_OPENED] * 2
    assert (again.number, again.total) == (1, 2)


def test_a_look_at_an_alternative_opens_the_month_too_once(bank: Bank) -> None:
    judged(bank, "a")
    for _ in range(2):
        note_opening(bank.office, MODEL, "a", JULY, date(2005, 8, 31), "trainer", alternative="seed 8")
        again = judged(bank, "a")
    assert (again.number, again.total) == (1, 2)
    assert judged(bank, "b").number == 3


def test_each_month_is_counted_for_itself(bank: Bank) -> None:
    judged(bank, "a")
    assert judged(bank, "b", AUGUST).total == 1
