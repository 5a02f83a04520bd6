"""What every store of local copies must do, the fake one too."""

import os
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from models.adapters import durable
from models.channel import ReleaseReader
from models.errors import NotFound, PlatformError, Unavailable
from models.governance.signing import Duty, Signed
from serving.adapters.copy_folder import CopyFolder
from serving.release.copies import Copies, Copy
from tests.fakes.copies import FakeCopies
from tests.office import MODEL, paper_bundle


@pytest.fixture(params=["memory", "folder"])
def copies(request: pytest.FixtureRequest, tmp_path: Path) -> Copies:
    makers: dict[str, Callable[[], Copies]] = {"memory": FakeCopies, "folder": lambda: CopyFolder(tmp_path / "copies")}
    return makers[request.param]()


def signed(text: str, signer: str = "pipeline") -> Signed:
    """The same in every process: nothing is verified here."""
    return Signed({"model": MODEL, "reason": text}, signer, Duty.PUBLISH, "a signature")


def copy(number: int, stop: int = 0) -> Copy:
    bundle = paper_bundle(f"bundle {number}")
    approvals = tuple(signed("approval", who) for who in ("second", "validator"))
    return Copy(
        MODEL,
        {number: signed(f"pointer {number}")},
        {stop: signed("stop")} if stop else {},
        {bundle.digest: approvals},
        {bundle.digest: bundle.files},
    )


def holds(copies: Copies, expected: Copy) -> bool:
    with suppress(PlatformError):
        return as_kept(copies, copies.reader(MODEL), expected)
    return False


def as_kept(copies: Copies, reader: ReleaseReader, expected: Copy) -> bool:
    return (
        copies.models() == reader.models() == [MODEL]
        and reader.pointers(MODEL) == max(expected.pointers)
        and reader.stops(MODEL) == max(expected.stops, default=0)
        and all(reader.pointer(MODEL, number) == pointer for number, pointer in expected.pointers.items())
        and all(reader.stop(MODEL, number) == stop for number, stop in expected.stops.items())
        and all(reader.approvals(digest) == approvals for digest, approvals in expected.approvals.items())
        and all(reader.bundle(digest) == files for digest, files in expected.bundles.items())
    )


def test_there_is_none_at_first(copies: Copies) -> None:
    assert copies.models() == []
    with pytest.raises(NotFound):
        copies.reader(MODEL)
    copies.forget(MODEL)


def test_a_copy_is_read_like_a_channel(copies: Copies) -> None:
    copies.keep(copy(7, stop=2))
    assert holds(copies, copy(7, stop=2))


def test_a_new_copy_takes_the_place_of_the_one_before(copies: Copies) -> None:
    copies.keep(copy(7, stop=2))
    copies.keep(copy(8))
    assert holds(copies, copy(8))
    with pytest.raises(NotFound):
        copies.reader(MODEL).bundle(paper_bundle("bundle 7").digest)


def test_what_is_forgotten_is_gone(copies: Copies) -> None:
    copies.keep(copy(7))
    copies.forget(MODEL)
    assert copies.models() == []
    copies.keep(copy(8))
    assert holds(copies, copy(8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copies"


def test_old_copies_and_what_killed_processes_left_are_tidied_up(folder: Path) -> None:
    copies = CopyFolder(folder)
    for number in (7, 8, 9):
        copies.keep(copy(number))
    (folder / MODEL / ".00000009.left").mkdir()
    copies.keep(copy(10))
    assert [path.name for path in (folder / MODEL).iterdir()] == ["00000004"]


def test_keeping_the_same_again_writes_nothing(folder: Path) -> None:
    CopyFolder(folder).keep(copy(7, stop=1))
    CopyFolder(folder).keep(copy(7, stop=1))
    assert [path.name for path in (folder / MODEL).iterdir()] == ["00000001"]


@pytest.mark.parametrize("what", ["bundles", "pointers", "approvals"])
def test_a_copy_that_was_damaged_is_written_anew(folder: Path, what: str) -> None:
    CopyFolder(folder).keep(copy(7))
    damaged = next(path for path in (folder / MODEL / "00000001" / what).rglob("*") if path.is_file())
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert not holds(CopyFolder(folder), copy(7))
    CopyFolder(folder).keep(copy(7))
    assert holds(CopyFolder(folder), copy(7))


def keep_until_killed(folder: Path, writes: int) -> None:
    """In a process of its own, killed at the write after so many."""
    left = iter(range(writes))

    def dying(act: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any) -> Any:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*given)

        return counted

    durable.write_synced, durable.sync_folder = dying(durable.write_synced), dying(durable.sync_folder)
    Path.rename, shutil.rmtree = dying(Path.rename), dying(shutil.rmtree)  # type: ignore[method-assign, assignment]
    CopyFolder(folder).keep(copy(8, stop=1))


def test_a_process_killed_at_any_write_leaves_the_copy_before_or_the_new_one(folder: Path) -> None:
    before, after, survived, found = copy(7), copy(8, stop=1), False, set()
    for write in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        CopyFolder(folder).keep(before)
        keeper = get_context("fork").Process(target=keep_until_killed, args=(folder, write))
        keeper.start()
        keeper.join()
        assert keeper.exitcode in (0, -signal.SIGKILL)
        found.add((old := holds(CopyFolder(folder), before), new := holds(CopyFolder(folder), after)))
        assert old is not new
        CopyFolder(folder).keep(after)
        assert holds(CopyFolder(folder), after)
        assert len(list((folder / MODEL).iterdir())) == 1
        if survived := keeper.exitcode == 0:
            break
    assert survived
    assert len(found) == 2


def keep_and_forget(folder: Path, own: int) -> None:
    copies = CopyFolder(folder)
    for turn in range(20):
        copies.keep(copy(own * 100 + turn))
        if turn % 7 == 6:
            copies.forget(MODEL)
    copies.keep(copy(own))


def test_several_processes_at_once_leave_one_whole_copy(folder: Path) -> None:
    workers = [get_context("spawn").Process(target=keep_and_forget, args=(folder, own)) for own in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert any(holds(CopyFolder(folder), copy(own)) for own in (1, 2, 3))
    assert len(list((folder / MODEL).iterdir())) == 1


def test_where_nothing_can_be_written_that_is_told(folder: Path) -> None:
    folder.write_bytes(b"a file is in the way")
    copies = CopyFolder(folder)
    with pytest.raises(Unavailable, match=r"no local copy can be kept in .*: Not a directory") as error:
        copies.keep(copy(7))
    assert "the model answers on" in error.value.hint
    assert copies.models() == []
    copies.forget(MODEL)
