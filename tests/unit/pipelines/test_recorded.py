"""Which partitions a home must still have: those that its own models were made of."""

import pytest

from models.bundle import Bundle
from models.governance.ledger import Event
from pipelines.recorded import recorded
from tests.office import MODEL, NOON, Bank, paper_evidence_digest, paper_parts

PART = {
    "table": "snapshots",
    "month": "2005-07",
    "version": 1,
    "digest": "d" * 64,
    "rows": 30_000,
    "recorded_at": NOON.isoformat(),
}
BUNDLE = Bundle.seal(MODEL, paper_parts("made of July"), lineage={"partitions": [PART]})


@pytest.fixture
def bank() -> Bank:
    made = Bank()
    made.channel.add_bundle(BUNDLE.digest, BUNDLE.files)
    made.register(BUNDLE.digest, paper_evidence_digest(BUNDLE.digest))
    return made


def test_what_a_model_was_made_of_here_must_be_here(bank: Bank) -> None:
    (found,) = recorded(bank.channel, bank.ledger.entries(), MODEL)
    assert (found.table, str(found.month), found.digest) == ("snapshots", "2005-07", "d" * 64)
    assert recorded(bank.channel, bank.ledger.entries(), "another") == []


def test_what_another_home_sent_was_made_of_the_lake_there(bank: Bank) -> None:
    bank.office.note(Event.RECEIVED, MODEL, "k.ito", {"bundle": BUNDLE.digest, "sender": "dev"})
    assert recorded(bank.channel, bank.ledger.entries(), MODEL) == []
