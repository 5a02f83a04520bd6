"""A parcel in a folder: what is written is read again, and nothing else may lie in it."""

from pathlib import Path

import pytest

from models.errors import Conflict, Integrity, NotApproved, NotFound
from models.governance.delivery import Parcel
from models.governance.signing import Duty
from pipelines.adapters import parcel_folder
from pipelines.adapters.parcel_folder import read, write
from tests.office import signer

PARCEL = Parcel(
    statement=signer("dev", Duty.DELIVER).sign({"model": "m"}),
    bundle={"manifest.json": b"{}", "model.onnx": b"graph"},
    evidence={"manifest.json": b"{}", "plots/roc.png": b"picture"},
    approvals=(signer("validator", Duty.APPROVE).sign({"bundle": "b"}),),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "parcel", PARCEL)
    return tmp_path / "parcel"


def test_it_is_read_as_it_was_written(folder: Path) -> None:
    assert read(folder) == PARCEL
    assert [path.name for path in folder.parent.iterdir()] == ["parcel"]


def test_it_is_not_written_over_another(folder: Path) -> None:
    with pytest.raises(Conflict, match="never written over"):
        write(folder, PARCEL)


@pytest.mark.parametrize("name", ["more.txt", "bundle.json", "others/model.onnx"])
def test_what_does_not_belong_into_it_is_refused(name: str, folder: Path) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("?")
    with pytest.raises(Integrity, match="does not belong"):
        read(folder)


def test_no_link_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of this machine")
    (folder / "evidence" / "page.html").symlink_to(tmp_path / "secret")
    with pytest.raises(Integrity, match="is a link"):
        read(folder)


def test_it_has_a_largest_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel_folder, "LARGEST_FILE", 4)
    with pytest.raises(Integrity, match="too large"):
        read(folder)


def test_a_document_that_cannot_be_read_and_a_folder_that_is_none_say_so(folder: Path, tmp_path: Path) -> None:
    (folder / "approvals" / "validator.json").write_text("{")
    with pytest.raises(NotApproved, match="cannot be read"):
        read(folder)
    with pytest.raises(NotFound, match="no parcel"):
        read(tmp_path)
