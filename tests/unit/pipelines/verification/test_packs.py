"""Every stored evidence pack is checked again: its bytes, its folder, and each figure against its artefact."""

import json
from pathlib import Path

import pytest

from models.adapters.pack_folder import PackFolder
from models.bundle import MANIFEST, canonical, sha256
from pipelines.pack import files
from pipelines.pack.build import Pack, build
from pipelines.verification.packs import check_packs
from tests.packs import artefacts, parsed, plain_page

MODEL = "credit_default"
MADE = artefacts()
PACK = build(MADE, plain_page)
BUNDLE = parsed(MADE, files.SUBJECT)["bundle"]


@pytest.fixture
def shelf(tmp_path: Path) -> PackFolder:
    found = PackFolder(tmp_path)
    found.store(MODEL, BUNDLE, PACK.digest, PACK.files)
    return found


def resealed(pack: Pack, name: str, data: bytes) -> Pack:
    """What somebody who can write the folder makes of it: the file changed, and the manifest to match."""
    manifest = json.loads(pack.files[MANIFEST])
    manifest["files"][name] = sha256(data)
    return Pack({**pack.files, name: data, MANIFEST: canonical(manifest)}, pack.figures)


def test_packs_as_they_were_sealed_hold(shelf: PackFolder) -> None:
    assert list(check_packs(shelf)) == []


def test_a_file_that_was_changed_is_named(shelf: PackFolder) -> None:
    (Path(shelf.place(MODEL, BUNDLE, PACK.digest)) / files.PAGE).write_bytes(b"better")
    (found,) = check_packs(shelf)
    assert found.where == shelf.place(MODEL, BUNDLE, PACK.digest)
    assert "changed after sealing" in found.problem


@pytest.mark.parametrize("data", [b"", b"[]", b"{}"])
def test_a_manifest_that_cannot_be_read_is_named(shelf: PackFolder, data: bytes) -> None:
    (Path(shelf.place(MODEL, BUNDLE, PACK.digest)) / MANIFEST).write_bytes(data)
    assert len(list(check_packs(shelf))) == 1


def test_a_figure_that_does_not_follow_from_its_artefact_is_named_though_it_was_sealed(shelf: PackFolder) -> None:
    figures = json.loads(PACK.files[files.FIGURES])
    figures["figures"][0]["value"] = "nicer"
    forged = resealed(PACK, files.FIGURES, json.dumps(figures, indent=1).encode())
    shelf.store(MODEL, BUNDLE, forged.digest, forged.files)
    (found,) = check_packs(shelf)
    assert "stale" in found.problem


def test_a_pack_that_was_sealed_anew_in_its_folder_is_named(shelf: PackFolder) -> None:
    forged = resealed(PACK, files.PAGE, b"better")
    shelf.store(MODEL, BUNDLE, PACK.digest, forged.files)
    (found,) = check_packs(shelf)
    assert f"the pack in this folder is {forged.digest[:12]}" in found.problem
