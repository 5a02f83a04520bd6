"""What happens to the machinery in a drill really happens."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.drills.injectors.outages import dead_database, slow_database, tampered_bundle


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "decisions.db")) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE log (id INTEGER)")
    return tmp_path


def write(home: Path, patience: float) -> None:
    with closing(sqlite3.connect(home / "decisions.db", timeout=patience)) as log, log:
        log.execute("INSERT INTO log VALUES (1)")


def test_nobody_writes_to_a_dead_database_and_everybody_can_again_afterwards(home: Path) -> None:
    with dead_database(home), pytest.raises(sqlite3.OperationalError, match="locked"):
        write(home, patience=0.05)
    write(home, patience=5)


def test_a_slow_database_takes_what_waits_long_enough(home: Path) -> None:
    with slow_database(home):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write(home, patience=0.05)
        write(home, patience=30)


def test_one_byte_of_the_released_graph_is_another(tmp_path: Path) -> None:
    graph = tmp_path / "channel" / "bundles" / "a" / "model.onnx"
    graph.parent.mkdir(parents=True)
    graph.write_bytes(bytes(range(9)))
    with tampered_bundle(tmp_path):
        assert sum(a != b for a, b in zip(graph.read_bytes(), bytes(range(9)), strict=True)) == 1
