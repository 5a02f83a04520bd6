"""Whoever changes what decides says who and why, whichever door they come through."""

from collections.abc import Callable
from typing import Any

import pytest

from models.errors import InputRefused
from models.governance import release, stop
from models.governance.answerable import answerable
from models.governance.requests import Office
from tests.office import MODEL, Bank, paper_bundle


def rolled_back(office: Office, by: str, reason: str) -> Any:
    away_from = paper_bundle("second").digest
    return release.roll_back(office, MODEL, away_from=away_from, asked_by=by, reason=reason)


def stopped(office: Office, by: str, reason: str) -> Any:
    return stop.stop(office, MODEL, asked_by=by, reason=reason)


def resumed(office: Office, by: str, reason: str) -> Any:
    return stop.resume(office, MODEL, asked_by=by, reason=reason)


@pytest.mark.parametrize("act", [rolled_back, stopped, resumed])
@pytest.mark.parametrize(("by", "reason"), [("", "because"), ("  ", "because"), ("Ada", ""), ("Ada", "\t")])
def test_nobody_and_no_reason_change_nothing(act: Callable[[Office, str, str], Any], by: str, reason: str) -> None:
    bank = Bank()
    release.promote(bank.office, MODEL, bank.ask("first"))
    release.promote(bank.office, MODEL, bank.ask("second", "first"))
    if act is resumed:
        stopped(bank.office, "Ada", "scores jump")
    before = bank.events()

    with pytest.raises(InputRefused, match="a person answers for this"):
        act(bank.office, by, reason)

    assert bank.events() == before


def test_blanks_around_a_name_and_a_reason_are_no_part_of_them() -> None:
    assert answerable(" Ada ", "scores jump\n") == ("Ada", "scores jump")
