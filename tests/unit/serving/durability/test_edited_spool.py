"""A spool that somebody edited: it is named, and no rescue is lost over it."""

from pathlib import Path

import pytest

from models.errors import Integrity, Unavailable
from serving.adapters.spool_files import FileSpool
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.spool import InMemorySpool
from tests.rings import log_keys
from tests.spoolings import AWAY, entry, settled, spooling


def test_a_spool_that_was_edited_is_named_and_the_database_takes_what_is_new() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    spool.put([entry("d1")])
    spool.broken = Integrity("edited")
    with spooling(log, spool) as store:
        settled(store)
        assert store.notes()["spool"].problem == "edited"
        store.append_all([entry("d2")])
        store.ping()
        log.down = AWAY
        with pytest.raises(Integrity, match="edited"):
            store.append_all([entry("d3")])
        with pytest.raises(Unavailable, match="away; and edited"):
            store.ping()
        log.down = None
        store.ping()
        store.append_all([entry("d4")])
    assert [*log.decisions] == ["d2", "d4"]
    assert len(spool.groups) == 1


def change_a_number(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"0.123456789", b"0.923456789", 1))


@pytest.mark.parametrize(("edited", "drained"), [(0, []), (1, ["d0"]), (2, ["d0", "d1"])])
def test_a_process_that_starts_names_the_file_that_was_edited_wherever_it_stands(
    tmp_path: Path, edited: int, drained: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    left = FileSpool(tmp_path, log_keys, 2**20, segment=1)
    for number in range(3):
        left.put([entry(f"d{number}")])
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    change_a_number(files[edited])
    log = InMemoryDecisionLog()
    with spooling(log, FileSpool(tmp_path, log_keys, 2**20)) as store:
        settled(store)
        assert files[edited].name in store.notes()["spool"].problem
        store.append_all([entry("new")])
        assert files[edited].name in store.notes()["spool"].problem
    assert [*log.decisions] == [*drained, "new"]
    assert [record.levelname for record in caplog.records].count("ERROR") == 1
