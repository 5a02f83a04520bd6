"""What happens to the machinery: a database that is slow or takes nothing, a file that somebody wrote in."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

HELD, BETWEEN = 2.0, 0.3  # seconds
PATIENCE = 60.0


@contextmanager
def dead_database(home: Path) -> Iterator[None]:
    """Nobody can write to the decision log: its write lock is held all the time."""
    with closing(_opened(home)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            holder.execute("ROLLBACK")


@contextmanager
def slow_database(home: Path) -> Iterator[None]:
    """Every commit waits: the write lock is held for two seconds, let go for an instant, and taken again."""
    over, held = threading.Event(), threading.Event()
    holding = threading.Thread(target=_hold_again_and_again, args=(home, over, held), daemon=True)
    holding.start()
    held.wait(PATIENCE)
    try:
        yield
    finally:
        over.set()
        holding.join()


@contextmanager
def tampered_bundle(home: Path) -> Iterator[None]:
    """One byte of every released graph is another; afterwards it stays so."""
    for graph in sorted((home / "channel").rglob("model.onnx")):
        data = bytearray(graph.read_bytes())
        data[len(data) // 2] ^= 1
        graph.chmod(0o644)
        graph.write_bytes(data)
    yield


def _hold_again_and_again(home: Path, over: threading.Event, held: threading.Event) -> None:
    with closing(_opened(home)) as holder:
        while not over.is_set():
            holder.execute("BEGIN IMMEDIATE")
            held.set()
            over.wait(HELD)
            holder.execute("ROLLBACK")
            over.wait(BETWEEN)


def _opened(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(home / "decisions.db", timeout=PATIENCE, isolation_level=None)
