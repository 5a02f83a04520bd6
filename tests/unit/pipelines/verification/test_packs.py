"""Every stored evidence pack is checked again: its bytes, its folder, and each figure against its artefact."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.adapters.pack_folder import PackFolder
from models.bundle import MANIFEST, canonical, sha256
from models.governance.ledger import Entry
from models.governance.packs import note_pack
from models.governance.verification import Finding
from pipelines.pack import files
from pipelines.pack.build import Pack, build
from pipelines.verification.packs import check_packs, compared
from tests.office import Bank
from tests.packs import artefacts, parsed, plain_page

MODEL, RELEASE = "credit_default", "this release"
MADE = artefacts()
PACK = build(MADE, plain_page)
BUNDLE = parsed(MADE, files.SUBJECT)["bundle"]


@pytest.fixture
def shelf(tmp_path: Path) -> PackFolder:
    found = PackFolder(tmp_path)
    found.store(MODEL, BUNDLE, PACK.digest, PACK.files)
    return found


def noted(*packs: Pack, writer: str = RELEASE) -> list[Entry]:
    """A ledger that names these packs."""
    bank = Bank()
    for pack in packs:
        note_pack(bank.office, MODEL, "trainer", bundle=BUNDLE, pack=pack.digest, training="t" * 64, writer=writer)
    return bank.ledger.entries()


def found_on(shelf: PackFolder, entries: Sequence[Entry]) -> list[Finding]:
    return list(check_packs(shelf, entries, plain_page, RELEASE))


def resealed(pack: Pack, name: str, data: bytes) -> Pack:
    """What somebody who can write the folder makes of it: the file changed, and the manifest to match."""
    manifest = json.loads(pack.files[MANIFEST])
    manifest["files"][name] = sha256(data)
    return Pack({**pack.files, name: data, MANIFEST: canonical(manifest)}, pack.figures)


def test_packs_as_they_were_sealed_hold(shelf: PackFolder) -> None:
    assert found_on(shelf, noted(PACK)) == []


def test_a_file_that_was_changed_is_named(shelf: PackFolder) -> None:
    (Path(shelf.place(MODEL, BUNDLE, PACK.digest)) / files.PAGE).write_bytes(b"better")
    (found,) = found_on(shelf, noted(PACK))
    assert found.where == shelf.place(MODEL, BUNDLE, PACK.digest)
    assert "changed after sealing" in found.problem


@pytest.mark.parametrize("data", [b"", b"[]", b"{}"])
def test_a_manifest_that_cannot_be_read_is_named(shelf: PackFolder, data: bytes) -> None:
    (Path(shelf.place(MODEL, BUNDLE, PACK.digest)) / MANIFEST).write_bytes(data)
    assert len(found_on(shelf, noted(PACK))) == 1


def test_a_figure_that_does_not_follow_from_its_artefact_is_named_though_it_was_sealed(shelf: PackFolder) -> None:
    figures = json.loads(PACK.files[files.FIGURES])
    figures["figures"][0]["value"] = "nicer"
    forged = resealed(PACK, files.FIGURES, json.dumps(figures, indent=1).encode())
    shelf.store(MODEL, BUNDLE, forged.digest, forged.files)
    (found,) = found_on(shelf, noted(PACK, forged))
    assert "stale" in found.problem


def test_a_pack_that_was_sealed_anew_in_its_folder_is_named(shelf: PackFolder) -> None:
    forged = resealed(PACK, files.PAGE, b"better")
    shelf.store(MODEL, BUNDLE, PACK.digest, forged.files)
    (found,) = found_on(shelf, noted(PACK, forged))
    assert f"the pack in this folder is {forged.digest[:12]}" in found.problem


def nicer() -> Pack:
    """Every verdict turned into a pass, the page to match, all of it sealed."""
    figures = json.loads(PACK.files[files.FIGURES])
    for each in figures["figures"]:
        each["verdict"] = "passed"
    forged = resealed(PACK, files.FIGURES, json.dumps(figures, indent=1, ensure_ascii=False).encode())
    return resealed(forged, files.PAGE, b"everything was passed")


def test_a_pack_that_no_entry_names_is_named_however_well_it_is_sealed(shelf: PackFolder) -> None:
    assert [finding.problem for finding in found_on(shelf, [])] == ["no entry of the ledger names this pack"]
    forged = nicer()
    shelf.store(MODEL, BUNDLE, forged.digest, forged.files)
    (found,) = found_on(shelf, noted(PACK))
    assert found.where == shelf.place(MODEL, BUNDLE, forged.digest)


def test_a_verdict_that_does_not_follow_is_named_though_the_ledger_names_the_pack(shelf: PackFolder) -> None:
    forged = nicer()
    shelf.store(MODEL, BUNDLE, forged.digest, forged.files)
    (found,) = found_on(shelf, noted(PACK, forged))
    assert "by its artefacts it is" in found.problem


def test_words_of_another_release_are_not_compared_and_that_is_said(shelf: PackFolder) -> None:
    """Its values are: a number has no other words."""
    other = resealed(PACK, files.PAGE, b"words of another year")
    shelf.store(MODEL, BUNDLE, other.digest, other.files)
    entries = [*noted(other, writer="another"), *noted(PACK)]
    assert found_on(shelf, entries) == []
    said = f"Not compared, as another release of the platform wrote them: verdicts and page of {other.digest[:12]};"
    assert said in compared(shelf, entries, RELEASE)
    assert "Not compared" not in compared(shelf, noted(PACK), RELEASE)

    wrong = json.loads(PACK.files[files.FIGURES])
    wrong["figures"][0]["value"] = "nicer"
    forged = resealed(PACK, files.FIGURES, json.dumps(wrong, indent=1).encode())
    shelf.store(MODEL, BUNDLE, forged.digest, forged.files)
    assert len(found_on(shelf, [*entries, *noted(forged, writer="another")])) == 1
