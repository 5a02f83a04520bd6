"""What is said of the spool and its log: each state once, and when it is over."""

import logging
from collections.abc import Sequence

import pytest

from models.errors import Integrity, PlatformError, Unavailable
from monitoring.decisions import Entry
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.spool import InMemorySpool
from tests.spoolings import AWAY, entry, settled, spooling


class Full:
    """It can be read, and takes nothing while there is a reason: its disk is full."""

    full: PlatformError | None = None

    def ensure_room(self) -> None:
        if self.full:
            raise self.full


class FullLog(Full, InMemoryDecisionLog):
    def append_all(self, entries: Sequence[Entry]) -> None:
        self.ensure_room()
        super().append_all(entries)


class FullSpool(Full, InMemorySpool):
    def put(self, entries: Sequence[Entry]) -> None:
        self.ensure_room()
        super().put(entries)


def states(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "steward.serving"]


AGAIN = "the spool is empty: decisions go into the log again"


def test_a_log_that_answers_and_takes_nothing_is_back_when_it_has_taken_something_and_each_state_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log, spool = FullLog(), FullSpool()
    with spooling(log, spool) as store:
        log.full, spool.full = Unavailable("the log's disk is full"), Unavailable("no room")
        for number in range(20):
            with pytest.raises(Unavailable, match="no room"):
                store.append_all([entry(f"d{number}")])
            settled(store)
            with pytest.raises(Unavailable, match="disk is full; and no room"):
                store.ping()
        assert states(caplog) == ["decisions go into the spool: the log's disk is full"]

        log.full = spool.full = None
        store.append_all([entry("d20")])
        store.ping()
        assert store.notes() == {}
        assert states(caplog)[1:] == [AGAIN]
    assert [*log.decisions] == ["d20"]


def test_where_nobody_was_refused_for_a_while_somebody_is_let_in_and_what_is_not_known_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A service that stays out of traffic could never show that its disk has room again."""
    log, spool = FullLog(), FullSpool()
    with spooling(log, spool) as store:
        log.full, spool.full = Unavailable("the log's disk is full"), Unavailable("no room")
        with pytest.raises(Unavailable):
            store.append_all([entry("d1")])
        settled(store)
        with pytest.raises(Unavailable):
            store.ping()
        store.ping()
        assert "no room; whether the log takes decisions again" in store.notes()["spool"].problem
        with pytest.raises(Unavailable, match="no room"):
            store.append_all([entry("d1")])
        settled(store)
        assert len(states(caplog)) == 1
        log.full = None
        store.append_all([entry("d2")])
        assert store.notes() == {}


def test_what_the_spool_refused_once_is_forgotten_when_the_log_has_taken_something() -> None:
    log, spool = FullLog(), FullSpool()
    with spooling(log, spool) as store:
        log.full, spool.full = Unavailable("the log's disk is full"), Unavailable("no room")
        with pytest.raises(Unavailable):
            store.append_all([entry("d1")])
        settled(store)
        log.full = spool.full = None
        store.append_all([entry("d2")])
        log.down = AWAY
        store.ping()  # the spool is there
        store.append_all([entry("d3")])
        log.down = None
        settled(store)
    assert [*log.decisions] == ["d2", "d3"]


def test_a_database_that_goes_and_comes_is_told_of_each_time_and_so_is_a_spool_that_was_edited(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    with spooling(log, spool) as store:
        for number in range(2):
            log.down = AWAY
            store.append_all([entry(f"d{number}")])
            store.append_all([entry(f"e{number}")])
            log.down = None
            settled(store)
        assert states(caplog) == ["decisions go into the spool: the database is away", AGAIN] * 2
        log.down, spool.broken = AWAY, Integrity("edited")
        with pytest.raises(Integrity):
            store.append_all([entry("d3")])
        settled(store)
        log.down = None
        store.append_all([entry("d4")])
        log.down = AWAY
        with pytest.raises(Unavailable, match="away; and edited"):
            store.ping()
        log.down = None
        store.ping()
    again = "decisions go into the log again"
    assert states(caplog)[-3:] == [again, "decisions are refused: the database is away", again]


def test_a_process_that_starts_while_the_database_is_away_says_once_that_decisions_go_into_the_spool(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    spool.put([entry("left")])
    log.down = AWAY
    with spooling(log, spool) as store:
        with store._changed:
            assert store._changed.wait_for(lambda: store._trouble, 30)
        store.append_all([entry("d1")])
        assert states(caplog) == ["decisions go into the spool: the database is away"]
        log.down = None
        settled(store)
    assert states(caplog)[1:] == [AGAIN]


def test_a_log_that_takes_one_after_another_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with spooling(InMemoryDecisionLog(), InMemorySpool()) as store:
        for number in range(3):
            store.append_all([entry(f"d{number}")])
    assert states(caplog) == []


def test_beside_a_spool_that_was_edited_a_log_that_takes_something_is_back_before_anybody_looks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    with spooling(log, spool) as store:
        store._give_up(Integrity("edited"))
        log.down = AWAY
        with pytest.raises(Unavailable):
            store.ping()
        log.down = None
        for name in ("d1", "d2"):
            store._start([entry(name)]).finish()
        assert store.notes()["spool"].problem == "edited"
    assert states(caplog)[1:] == ["decisions are refused: the database is away", "decisions go into the log again"]
