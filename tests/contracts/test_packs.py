"""What every store of evidence packs promises, fake or real."""

from pathlib import Path

import pytest

from models.adapters.pack_folder import PackFolder
from tests.fakes.packs import FakePacks

MODEL, BUNDLE, FIRST, SECOND = "toy", "b" * 64, "1" * 64, "2" * 64
FILES = {"index.html": b"<h1>one</h1>", "plots/roc.png": b"png"}


@pytest.fixture(params=["fake", "folder"])
def packs(request: pytest.FixtureRequest, tmp_path: Path) -> FakePacks | PackFolder:
    return FakePacks() if request.param == "fake" else PackFolder(tmp_path)


def test_what_was_stored_is_found_by_its_digest(packs: FakePacks | PackFolder) -> None:
    packs.store(MODEL, BUNDLE, FIRST, FILES)
    assert packs.files(MODEL, BUNDLE, FIRST) == FILES


def test_a_newer_pack_leaves_the_older_one_that_somebody_may_have_signed(packs: FakePacks | PackFolder) -> None:
    packs.store(MODEL, BUNDLE, FIRST, FILES)
    packs.store(MODEL, BUNDLE, SECOND, {"index.html": b"<h1>two</h1>"})
    assert packs.files(MODEL, BUNDLE, FIRST) == FILES


def test_storing_again_changes_nothing(packs: FakePacks | PackFolder) -> None:
    for digest in (FIRST, SECOND, FIRST):
        packs.store(MODEL, BUNDLE, digest, FILES)
    assert packs.files(MODEL, BUNDLE, SECOND) == FILES


def test_what_was_never_stored_is_not_there(packs: FakePacks | PackFolder) -> None:
    assert packs.files(MODEL, BUNDLE, FIRST) == {}


def test_a_folder_that_was_cut_off_or_touched_is_written_whole_again(tmp_path: Path) -> None:
    packs = PackFolder(tmp_path)
    folder = packs.store(MODEL, BUNDLE, FIRST, FILES)
    (folder / "plots" / "roc.png").unlink()
    (folder / "index.html").write_bytes(b"<h1>bett")
    packs.store(MODEL, BUNDLE, FIRST, FILES)
    assert packs.files(MODEL, BUNDLE, FIRST) == FILES
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []
