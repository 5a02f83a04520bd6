"""The store of decisions in front of a log and a spool, in tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from models.clock import FixedClock
from models.errors import Unavailable
from monitoring.decisions import Answered, Entry
from serving.durability.spool import Spool
from serving.durability.spooling import Spooling
from tests.bundles import NOW
from tests.contracts.test_decision_log import decision
from tests.fakes.decisions import InMemoryDecisionLog

AWAY = Unavailable("the database is away", hint="start it")
PATIENT = 30.0
HASTY = 0.02


def entry(*identities: str, key: str = "") -> Entry:
    return Entry([decision(each) for each in identities], Answered(key, "digest", b"told " + key.encode()) if key else None)


@contextmanager
def spooling(log: InMemoryDecisionLog, spool: Spool, after: float = PATIENT) -> Iterator[Spooling]:
    made = Spooling(log, spool, after, FixedClock(NOW), pauses=[0.002])
    try:
        yield made
    finally:
        made.close()


def settled(store: Spooling) -> None:
    """Wait until nothing is spooled any more."""
    with store._changed:
        assert store._changed.wait_for(lambda: not store._spooling, 30)
