"""Folders and files that only their owner may read."""

from pathlib import Path

import pytest

from models.adapters.private import private_folder, tightened
from models.errors import Misconfigured


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_folder_is_private_and_one_that_was_open_becomes_so(tmp_path: Path) -> None:
    assert mode(private_folder(tmp_path / "new" / "restricted")) == 0o700
    (tmp_path / "old").mkdir(mode=0o755)
    (tmp_path / "old").chmod(0o755)
    assert mode(private_folder(tmp_path / "old")) == 0o700


def test_a_file_keeps_what_its_owner_may(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(b"")
    path.chmod(0o444)
    assert mode(tightened(path)) == 0o400


def not_ours(_path: Path, _mode: int) -> None:
    raise PermissionError


def test_what_everybody_may_read_and_nobody_here_may_close_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(b"")
    path.chmod(0o644)
    with pytest.raises(Misconfigured, match=r"read by everybody on this machine \(mode 644\)") as error:
        tightened(path, not_ours)
    assert "0440" in error.value.hint


def test_what_is_mounted_for_the_group_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(b"")
    path.chmod(0o440)
    assert tightened(path, not_ours) == path
