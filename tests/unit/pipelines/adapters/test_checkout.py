"""Which code made a model is read from the checkout, and admitted to be unknown where there is none."""

import subprocess
from pathlib import Path

import pytest

from models.bundle import sha256
from pipelines.adapters.checkout import UNKNOWN, origin


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *words], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "requirements.lock").write_text("numpy==2.4.6\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_a_clean_checkout_is_named_by_its_commit_and_its_lock_file(checkout: Path) -> None:
    found = origin(checkout)

    assert found.git_commit == git(checkout, "rev-parse", "HEAD")
    assert found.lock_sha256 == sha256(b"numpy==2.4.6\n")


def test_local_changes_are_admitted(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("numpy==2.4.7\n")

    assert origin(checkout).git_commit == git(checkout, "rev-parse", "HEAD") + "-dirty"


def test_code_without_its_history_comes_from_an_unknown_commit(tmp_path: Path) -> None:
    found = origin(tmp_path)

    assert (found.git_commit, found.lock_sha256) == (UNKNOWN, UNKNOWN)
