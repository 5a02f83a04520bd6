"""What is asked with: the fullest evidence there is of this very training."""

import pytest

from models.bundle import MANIFEST, canonical, sha256
from models.governance.ledger import Entry
from models.governance.packs import note_pack
from pipelines.evidence import fullest
from tests.fakes.packs import FakePacks
from tests.office import MODEL, Bank, paper_bundle

BUNDLE = paper_bundle("first").digest
TRAINED = "t" * 64


def pack(training: str = TRAINED, bundle: str = BUNDLE, page: bytes = b"page") -> dict[str, bytes]:
    manifest = canonical({"bundle": bundle, "training": training, "files": {"index.html": sha256(b"page")}})
    return {"index.html": page, MANIFEST: manifest}


def stored(*made: dict[str, bytes]) -> FakePacks:
    packs = FakePacks()
    for files in made:
        packs.store(MODEL, BUNDLE, sha256(files[MANIFEST]), files)
    return packs


def noted(*made: dict[str, bytes]) -> list[Entry]:
    bank = Bank()
    for files in made:
        named = {"bundle": BUNDLE, "pack": sha256(files[MANIFEST]), "training": TRAINED, "writer": "release"}
        note_pack(bank.office, MODEL, "trainer", **named)
    return bank.ledger.entries()


def test_training_again_asks_with_the_pack_that_was_built_of_it() -> None:
    assert fullest(stored(pack()), noted(pack()), MODEL, BUNDLE, TRAINED) == sha256(pack()[MANIFEST])


def test_without_a_pack_training_asks_with_what_it_left() -> None:
    assert fullest(FakePacks(), [], MODEL, BUNDLE, TRAINED) == TRAINED


def test_a_pack_that_no_ledger_entry_names_is_nobodys_word() -> None:
    forged = pack() | {"manifest.json": pack()[MANIFEST] + b"\n"}
    assert fullest(stored(forged), [], MODEL, BUNDLE, TRAINED) == TRAINED
    assert fullest(stored(pack(), forged), noted(pack()), MODEL, BUNDLE, TRAINED) == sha256(pack()[MANIFEST])


@pytest.mark.parametrize(
    "files", [pack(training="o" * 64), pack(bundle="b" * 64), pack(page=b"touched"), {MANIFEST: b"{}"}, {MANIFEST: b"no JSON"}]
)
def test_a_pack_of_other_evidence_or_one_that_was_touched_is_none(files: dict[str, bytes]) -> None:
    assert fullest(stored(files), noted(files), MODEL, BUNDLE, TRAINED) == TRAINED
