"""Every process has a spool of its own; what a process left that is gone is somebody else's to drain."""

import multiprocessing
import stat
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from models.errors import Integrity, Unavailable
from serving.adapters.spool_files import FileSpool
from serving.adapters.spool_slots import Slots
from tests.contracts.test_spool import drained, entry
from tests.rings import log_keys


def opened(folder: Path) -> Slots:
    return Slots(folder, lambda slot: FileSpool(slot, log_keys, 2**20))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_two_processes_do_not_share_a_spool(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.spool.put([entry("d1", key="m:a")])
    second.spool.put([entry("d2", key="m:a")])
    assert drained(first.spool) == ["d1"]
    assert drained(second.spool) == ["d2"]
    assert names(tmp_path) == ["0", "1"]
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in names(tmp_path)} == {0o700}
    first.close()
    second.close()


def test_who_starts_takes_over_what_others_left_and_drains_it_first(tmp_path: Path) -> None:
    left = [opened(tmp_path) for _ in range(3)]
    left[0].spool.put([entry("own")])
    left[2].spool.put([entry("other", key="m:a")])
    for each in left:
        each.close()
    started = opened(tmp_path)
    assert started.spool.answered("m:a") == entry(key="m:a").answered
    assert started.spool.depth().decisions == 2
    started.spool.put([entry("new")])
    assert drained(started.spool) == ["other", "own", "new"]
    started.close()


def test_folders_are_used_again_and_do_not_become_more_with_every_start(tmp_path: Path) -> None:
    for _ in range(3):
        running = [opened(tmp_path) for _ in range(3)]
        assert names(tmp_path) == ["0", "1", "2"]
        for each in running:
            each.close()


def test_what_somebody_edited_in_a_spool_that_was_left_is_named(tmp_path: Path) -> None:
    left = [opened(tmp_path), opened(tmp_path)]
    left[1].spool.put([entry("d1")])
    for each in left:
        each.close()
    (path,) = tmp_path.glob("1/*.spool")
    path.write_bytes(path.read_bytes().replace(b'"d1"', b'"d2"'))
    started = opened(tmp_path)
    with pytest.raises(Integrity, match=r"^in the spool 1/00000001-1\.spool is not as it was written"):
        started.spool.oldest(1)
    started.close()


def _hold(folder: Path, ready: Event) -> None:
    slots = opened(folder)
    slots.spool.put([entry("d1")])
    ready.set()
    multiprocessing.get_context("spawn").Event().wait()


def test_the_spool_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=_hold, args=(tmp_path, ready))
    process.start()
    assert ready.wait(30)
    beside = opened(tmp_path)
    assert beside.spool.oldest(1) is None
    beside.close()
    process.kill()
    process.join()
    after = opened(tmp_path)
    assert drained(after.spool) == ["d1"]
    after.close()
    assert names(tmp_path) == ["0", "1"]


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(Unavailable, match="cannot be used"):
        opened(tmp_path / "spool")
