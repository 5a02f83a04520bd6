"""Backups of containers, as far as Docker's compose is told; what it makes of it, tests/images sees."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.backup import containers
from infra.topology.containers import Compose
from models.errors import Conflict, Misconfigured, NotFound, Unavailable


@dataclass(frozen=True)
class Told(Compose):
    """Takes down what it is told; a backup writes what it was asked to."""

    calls: list[list[str]] = field(default_factory=list)
    there: str = ""
    fails: bool = False

    def call(self, *words: str, said: bool = False) -> str:
        self.calls.append([*words])
        if words[0] == "run" and "take" in words:
            if self.fails:
                raise Unavailable("docker compose run ended with 1", hint="above")
            for inside in (words[words.index(name) + 1] for name in ("--folder", "--keys") if name in words):
                written(words, Path(inside)).write_text("whole")
        return self.there

    def verbs(self) -> list[str]:
        return [call[0] for call in self.calls]

    def mounts(self) -> list[str]:
        (run,) = [call for call in self.calls if "infra.backup" in call]
        return [run[at + 1] for at, word in enumerate(run) if word == "--volume"]


def written(words: tuple[str, ...], inside: Path) -> Path:
    """Where a path of the container lies outside."""
    mounted = (words[at + 1].split(":") for at, word in enumerate(words) if word == "--volume")
    (box,) = [outside for outside, within, *_ in mounted if Path(within) == inside.parent]
    return Path(box) / inside.name


@pytest.fixture
def running(tmp_path: Path) -> Told:
    return Told(tmp_path / "state", there="0f3a\n")


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    """A backup that the containers' user may read."""
    folder = tmp_path / "monday"
    folder.mkdir(mode=0o755)
    return folder


def test_a_backup_appears_whole_where_it_was_asked_for_and_nothing_is_left_beside_it(running: Told, tmp_path: Path) -> None:
    containers.take(running, tmp_path / "out" / "monday", tmp_path / "elsewhere" / "keys.sealed")
    assert (tmp_path / "out" / "monday").read_text() == (tmp_path / "elsewhere" / "keys.sealed").read_text() == "whole"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["monday"]


def test_of_a_backup_that_fails_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        containers.take(Told(tmp_path / "state", there="0f3a", fails=True), tmp_path / "out" / "monday")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_backup_is_never_written_over_another_nor_beside_one_that_is_being_taken(running: Told, tmp_path: Path) -> None:
    (tmp_path / "out" / ".being-taken").mkdir(parents=True)
    with pytest.raises(Conflict, match="other backup"):
        containers.take(running, tmp_path / "out" / "monday")
    assert (tmp_path / "out" / ".being-taken").is_dir(), "it is the other's"
    (tmp_path / "out" / "tuesday").mkdir()
    with pytest.raises(Conflict, match="there already"):
        containers.take(running, tmp_path / "out" / "tuesday")


def test_without_its_database_nothing_is_backed_up(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="make up PROJECT=steward"):
        containers.take(Told(tmp_path / "state"), tmp_path / "monday")


def test_a_restore_reads_what_it_is_given_runs_the_store_alone_and_ends_it(taken: Path, tmp_path: Path) -> None:
    told = Told(tmp_path / "state", project="new")
    containers.restore(told, taken, at="2026-11-27T14:02:59+00:00", archive=taken, later=taken)
    assert told.mounts() == [f"{taken}:{taken}:ro"]
    assert told.verbs() == ["ps", "run", "up", "run", "down"]
    assert told.calls[2][-1] == "store"
    assert told.calls[3][-2:] == ["--inside", "new"]


def test_nothing_is_restored_beside_containers_of_that_project(taken: Path, tmp_path: Path) -> None:
    told = Told(tmp_path / "state", there="0f3a")
    with pytest.raises(Conflict, match="new project"):
        containers.restore(told, taken)
    assert told.verbs() == ["ps"]


@pytest.mark.skipif(os.geteuid() != 0, reason="anybody else's containers run as that person")
def test_root_is_told_when_the_containers_user_could_not_read_a_backup(taken: Path, tmp_path: Path) -> None:
    taken.chmod(0o700)
    with pytest.raises(Misconfigured, match=r"chown -R 10001"):
        containers.restore(Told(tmp_path / "state"), taken)
    with pytest.raises(NotFound):
        containers.restore(Told(tmp_path / "state"), tmp_path / "tuesday")
