"""What is released can be built again, and says which version it is."""

import subprocess
from pathlib import Path

import pytest

from infra.release.__main__ import check_tag, checksums, differing, version
from models.errors import Misconfigured


def test_a_tag_must_name_the_version_of_the_project() -> None:
    check_tag(f"v{version()}", version())
    with pytest.raises(Misconfigured, match="set version in pyproject"):
        check_tag("v9.9.9", version())


def test_builds_differ_by_a_byte_or_by_a_file() -> None:
    assert differing({"a.whl": b"1"}, {"a.whl": b"1"}) == []
    assert differing({"a.whl": b"1", "a.tar.gz": b"2"}, {"a.whl": b"0"}) == ["a.tar.gz", "a.whl"]


def test_the_checksums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    files = {"a.whl": b"one", "b.tar.gz": b"two"}
    for name, data in {**files, "SHA256SUMS": checksums(files)}.items():
        (tmp_path / name).write_bytes(data)
    check = ["sha256sum", "--check", "SHA256SUMS"]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "a.whl").write_bytes(b"other")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1
