"""What only a real folder can do to its readers."""

import os
from pathlib import Path

import pytest

from models.adapters.folder_channel import FolderChannel
from models.errors import Integrity, NotApproved
from tests.office import MODEL, paper_bundle, pipeline


@pytest.fixture
def root(tmp_path: Path) -> Path:
    channel, bundle = FolderChannel(tmp_path), paper_bundle("first")
    channel.add_bundle(bundle.digest, bundle.files)
    channel.add_pointer(MODEL, 1, pipeline().sign({"model": MODEL}))
    return tmp_path


def test_a_part_that_would_fill_the_memory_is_refused(root: Path) -> None:
    digest = paper_bundle("first").digest
    os.truncate(root / "bundles" / digest / "model.onnx", 2**40)
    with pytest.raises(Integrity, match=r"model\.onnx has more than"):
        FolderChannel(root).bundle(digest)


def test_a_pointer_that_would_fill_the_memory_is_refused(root: Path) -> None:
    os.truncate(root / "pointers" / MODEL / "00000001.json", 2**40)
    with pytest.raises(Integrity, match=r"00000001\.json has more than"):
        FolderChannel(root).pointer(MODEL, 1)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"document":{}}', b'"text"', b"\xff\xfe", b"[" * 500_000], ids=range(8)
)
def test_a_pointer_that_is_no_signed_document_is_refused_in_words(root: Path, data: bytes) -> None:
    (root / "pointers" / MODEL / "00000001.json").write_bytes(data)
    with pytest.raises(NotApproved, match="cannot be read"):
        FolderChannel(root).pointer(MODEL, 1)


def test_a_pointer_without_a_signature_is_refused_as_that(root: Path) -> None:
    (root / "pointers" / MODEL / "00000001.json").write_bytes(b'{"document":{},"duty":"publish","signer":"pipeline"}')
    with pytest.raises(NotApproved, match="has no signature"):
        FolderChannel(root).pointer(MODEL, 1)
