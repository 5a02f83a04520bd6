"""What a service saw last, on disk."""

from pathlib import Path

import pytest

from models.errors import Integrity, Unavailable
from serving.adapters.memory_file import MemoryFile


def test_what_was_kept_is_known_to_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "serving" / "seen.json"
    assert MemoryFile(path).marks() == {}
    MemoryFile(path).keep({"stops credit_default": (2, "d" * 64)})
    assert MemoryFile(path).marks() == {"stops credit_default": (2, "d" * 64)}


@pytest.mark.parametrize("content", ["", "[]", '{"stops m": 2}', '{"stops m": ["x", "y"]}', "\xff"])
def test_a_file_that_cannot_be_read_is_no_empty_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "seen.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(Integrity, match="not known") as error:
        MemoryFile(path).marks()
    assert "make verify" in error.value.hint


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "serving").write_text("in the way")
    with pytest.raises((Unavailable, Integrity)):
        MemoryFile(tmp_path / "serving" / "seen.json").keep({"stops m": (1, "")})
