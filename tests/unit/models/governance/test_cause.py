"""Which run, command or request an entry of the ledger came of."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from models.adapters.file_ledger import FileLedger
from models.errors import Integrity
from models.governance.ledger import Entry, Event, verify_chain
from tests.bundles import MODEL, NOW


def ledger(path: Path, cause: str) -> FileLedger:
    return FileLedger(path / "ledger.jsonl", cause=lambda: cause)


def add(found: FileLedger) -> Entry:
    return found.append(Event.KEPT, model=MODEL, actor="pipeline", at=NOW, facts={})


def test_an_entry_names_what_it_came_of_and_the_chain_holds_it(tmp_path: Path) -> None:
    add(ledger(tmp_path, "r1"))
    (entry,) = ledger(tmp_path, "").entries()
    assert entry.cause == "r1"
    for forged in ("r2", ""):
        with pytest.raises(Integrity):
            verify_chain([replace(entry, cause=forged)])


def test_an_entry_of_before_there_were_causes_keeps_its_chain_value(tmp_path: Path) -> None:
    entry = add(ledger(tmp_path, ""))
    old = {name: value for name, value in asdict(entry).items() if name != "cause"}
    assert json.loads((tmp_path / "ledger.jsonl").read_text()) == old
    with pytest.raises(Integrity):
        verify_chain([replace(entry, cause="r1")])
    add(ledger(tmp_path, "r2"))
    assert [each.cause for each in ledger(tmp_path, "").entries()] == ["", "r2"]
