"""Whether the ledger ends as its witness signed it, asked of every look: cheaper than `make verify`, and as hard to deceive."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from models.errors import Integrity
from models.governance.attestation import vouched
from models.governance.ledger import Entry, Ledger
from models.governance.signing import Signed, Trust
from tests.fakes.ledger import FakeLedger
from tests.unit.models.governance import test_audit as audit
from tests.unit.models.governance.test_audit import Case


def asked(case: Case) -> list[Entry]:
    class Found:
        def heads(self) -> list[tuple[str, Signed]]:
            return case.heads

        def entries(self, model: str | None = None) -> list[Entry]:
            return [entry for entry in case.entries if model in (None, entry.model)]

    return vouched(cast("Ledger", Found()), lambda: case.trust)


def test_a_ledger_that_ends_as_it_was_signed_is_read_in_order() -> None:
    case = Case()
    assert asked(case) == case.entries


def test_an_empty_home_has_nothing_to_vouch_for() -> None:
    assert vouched(FakeLedger(), lambda: Trust({})) == []


def test_one_signature_a_head_is_enough_and_the_rest_of_the_end_is_checked_one_by_one() -> None:
    case = Case()
    case.heads = [("beside", case.entries[-3].signed_head())]
    assert asked(case) == case.entries
    case.entries[-2] = replace(case.entries[-2], attestation="")
    with pytest.raises(Integrity, match=f"entry {case.entries[-2].number}: its attestation does not hold"):
        asked(case)


@pytest.mark.parametrize(
    "done",
    [
        audit.rewrite,
        audit.remove,
        audit.cut_off,
        audit.cut_off_with_its_head,
        audit.no_head,
        audit.unattested,
        audit.strangers_head,
    ],
)
def test_what_was_done_to_the_end_or_to_the_chain_is_noticed(done: Callable[[Case], str]) -> None:
    case = Case()
    done(case)
    with pytest.raises(Integrity, match="restore ledger and head from a backup"):
        asked(case)


def test_a_ledger_that_is_gone_altogether_is_noticed_by_its_head() -> None:
    case = Case()
    case.entries = []
    with pytest.raises(Integrity, match="removed from the end"):
        asked(case)
