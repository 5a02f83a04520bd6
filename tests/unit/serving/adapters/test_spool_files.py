"""A spool in files: after any crash it has what was answered, in order; what was edited it refuses."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Integrity, Unavailable
from monitoring.chain import ChainKeys
from monitoring.decisions import Entry
from serving.adapters.spool_files import FileSpool
from tests.contracts.test_decision_log import decision
from tests.contracts.test_spool import drained, entry
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.disk import Killed, MemoryDisk
from tests.rings import LOG_KEYS, log_keys

FOLDER = Path("spool")
ROOM = 2**20


def opened(folder: Path, segment: int = 1_050) -> FileSpool:
    return FileSpool(folder, log_keys, ROOM, segment=segment)


def filled(folder: Path, groups: int = 9) -> list[Path]:
    """Three groups a segment."""
    spool = opened(folder)
    for number in range(groups):
        spool.put([entry(f"d{number}", key=f"m:{number}")])
    return sorted(folder.iterdir())


def test_another_process_goes_on_where_one_ended(tmp_path: Path) -> None:
    assert len(filled(tmp_path)) == 3
    again = opened(tmp_path)
    assert again.answered("m:4") == entry(key="m:4").answered
    again.put([entry("last")])
    assert drained(opened(tmp_path)) == [*(f"d{number}" for number in range(9)), "last"]
    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_may_read_it_and_no_byte_is_left_once_it_was_drained(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "spool"
    paths = filled(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    drained(opened(folder))
    assert list(folder.iterdir()) == []


def swap_two_lines(path: Path) -> None:
    head, first, second, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([head, second, first, *rest]))


def leave_a_line_out(path: Path) -> None:
    head, _, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([head, *rest]))


def cut_the_last_line_off(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def change_a_number(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"0.123456789", b"0.923456789", 1))


def change_the_last_line(path: Path) -> None:
    data = path.read_bytes()
    place = data.rindex(b"0.123456789")
    path.write_bytes(data[:place] + b"0.923456789" + data[place + 11 :])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def write_something_else(path: Path) -> None:
    path.write_bytes(b"notes\nmore notes\n")


def give_another_name(path: Path) -> None:
    path.rename(path.with_name(path.name.replace("-1.", "-7.")))


EDITS = [swap_two_lines, leave_a_line_out, change_a_number, change_the_last_line, write_something_else, give_another_name]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_what_was_edited_is_refused_and_so_is_all_behind_it(tmp_path: Path, edit: Callable[[Path], None], which: int) -> None:
    edit(filled(tmp_path)[which])
    spool = opened(tmp_path)
    found: list[str] = []
    with pytest.raises(Integrity, match="is not as it was written") as caught:
        drained(spool, into=found)
    assert found == [f"d{number}" for number in range(3 * which)]
    assert "evidence" in caught.value.hint
    assert len(list(tmp_path.iterdir())) == 3 - which
    with pytest.raises(Integrity):
        spool.put([entry("behind")])


@pytest.mark.parametrize("edit", [cut_the_last_line_off, empty, Path.unlink])
def test_what_was_taken_out_of_the_middle_is_missed(tmp_path: Path, edit: Callable[[Path], None]) -> None:
    edit(filled(tmp_path)[1])
    with pytest.raises(Integrity):
        drained(opened(tmp_path))


@pytest.mark.parametrize("edit", [*EDITS[:-1], Path.unlink])
def test_the_process_that_wrote_it_notices_too(tmp_path: Path, edit: Callable[[Path], None]) -> None:
    spool = opened(tmp_path, segment=ROOM)
    for number in range(3):
        spool.put([entry(f"d{number}", key=f"m:{number}")])
    edit(next(tmp_path.iterdir()))
    with pytest.raises(Integrity):
        drained(spool)
    with pytest.raises(Integrity):
        spool.put([entry("behind")])


def test_an_answer_that_was_edited_is_not_given_again(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.put([entry("d1", key="m:a")])
    change_a_number(next(tmp_path.iterdir()))
    with pytest.raises(Integrity):
        spool.answered("m:a")


def test_once_the_edited_file_was_taken_away_the_rest_is_drained(tmp_path: Path) -> None:
    paths = filled(tmp_path)
    change_a_number(paths[0])
    with pytest.raises(Integrity):
        drained(opened(tmp_path))
    paths[0].unlink()
    assert drained(opened(tmp_path)) == [f"d{number}" for number in range(3, 9)]


@pytest.mark.parametrize("left", [b"0" * 30, b"\0" * 700, b"0" * 40 + b"\0" * 400 + b"]]\n"])
def test_a_last_line_that_was_never_whole_is_dropped(tmp_path: Path, left: bytes) -> None:
    paths = filled(tmp_path)
    with paths[-1].open("ab") as file:
        file.write(left)
    spool = opened(tmp_path)
    spool.put([entry("next")])
    assert drained(opened(tmp_path)) == [*(f"d{number}" for number in range(9)), "next"]


def test_a_key_rotated_meanwhile_seals_the_next_segment_and_the_old_ones_hold(tmp_path: Path) -> None:
    filled(tmp_path, groups=2)
    keys = ChainKeys((*LOG_KEYS.keys, b"n" * 32))
    spool = FileSpool(tmp_path, lambda: keys, ROOM)
    spool.put([entry("new")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000001-1.spool", "00000002-2.spool"]
    assert drained(FileSpool(tmp_path, lambda: keys, ROOM)) == ["d0", "d1", "new"]


def test_a_file_somewhere_in_the_way_is_told_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(Unavailable, match="cannot be used"):
        opened(tmp_path / "spool")


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("segment", [1, ROOM])
def test_a_group_that_could_not_be_written_was_not_taken_and_the_next_one_is(part: float, segment: int) -> None:
    disk = MemoryDisk(error=OSError)
    spool = FileSpool(FOLDER, log_keys, ROOM, disk, segment)
    spool.put([entry("d1")])
    disk.fail = lambda: part
    with pytest.raises(Unavailable, match="Input/output error"):
        spool.put([entry("lost", key="m:a")])
    disk.fail = lambda: None
    spool.put([entry("d2", key="m:a")])
    assert drained(FileSpool(FOLDER, log_keys, ROOM, MemoryDisk.holding(disk))) == ["d1", "d2"]
    assert drained(spool) == ["d1", "d2"]


def test_who_is_answered_while_a_spool_cannot_be_used_learns_which_one_and_no_path() -> None:
    disk = MemoryDisk(error=OSError)
    spool = FileSpool(Path("/srv/home/spool/0"), log_keys, ROOM, disk)
    disk.fail = lambda: 0.0
    with pytest.raises(Unavailable, match=r"^the spool 0 cannot be used") as caught:
        spool.put([entry("lost")])
    assert "srv" not in str(caught.value)


# In hundredths of a step: what still happens of it. None: all of it, and the process lives on.
CRASHES = st.lists(st.one_of(st.none(), st.none(), st.none(), st.integers(0, 100)), max_size=60)
ACTS = st.lists(st.one_of(st.integers(1, 3), st.just("drain"), st.just("restart")), min_size=1, max_size=40)


@given(acts=ACTS, crashes=CRASHES, killed=st.booleans(), segment=st.sampled_from([1, 1_500, ROOM]))
def test_after_crashes_at_any_step_everything_answered_is_in_the_log_once_and_in_order(
    acts: list[int | str], crashes: list[int | None], killed: bool, segment: int
) -> None:
    """A crash is a killed process, or an error of the disk that the process survives; between draining and dropping, too."""
    steps = iter(crashes)
    disk = MemoryDisk(lambda: None if (part := next(steps, None)) is None else part / 100, Killed if killed else OSError)
    log, answered = InMemoryDecisionLog(), list[str]()
    asked = 0
    spool = FileSpool(FOLDER, log_keys, ROOM, disk, segment)

    def drain(most: int) -> bool:
        if (batch := spool.oldest(most)) is None:
            return False
        log.append_missing(batch.entries)
        spool.drop(batch)
        return True

    for act in acts:
        try:
            if act == "restart":
                spool = reopened(disk, segment)
            elif act == "drain":
                drain(2)
            else:
                names = [f"d{asked + number}" for number in range(int(act))]
                asked += len(names)
                spool.put([entry(name, key=f"m:{name}") for name in names])
                answered += names
        except Unavailable:
            continue
        except Killed:
            spool = reopened(disk, segment)
    disk.fail = lambda: None
    spool = reopened(disk, segment)
    while drain(5):
        pass
    logged = [*log.decisions]
    assert set(answered) <= set(logged)
    assert [name for name in logged if name in set(answered)] == answered
    assert logged == sorted(logged, key=lambda name: int(name[1:]))
    assert disk.files == {}


def reopened(disk: MemoryDisk, segment: int) -> FileSpool:
    """A start may be killed, too."""
    while True:
        try:
            return FileSpool(FOLDER, log_keys, ROOM, disk, segment)
        except (Killed, Unavailable):
            continue


def test_what_waits_names_no_account() -> None:
    disk = MemoryDisk()
    FileSpool(FOLDER, log_keys, ROOM, disk).put([Entry([decision(account_id="p1_hidden")])])
    (data,) = disk.files.values()
    assert b"p1_hidden" in data
