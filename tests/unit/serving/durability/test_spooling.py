"""What the database does not take in time waits in the spool, and enters the log once, in order."""

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clock import FixedClock
from models.errors import Conflict, Misconfigured, PlatformError, Unavailable
from monitoring.custody import logged
from monitoring.decisions import Entry
from serving.durability.spooling import Spooling
from tests.bundles import NOW
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.spool import InMemorySpool
from tests.fakes.stuck import StuckLog
from tests.fakes.threads import no_more_threads
from tests.rings import log_keys
from tests.spoolings import AWAY, HASTY, PATIENT, entry, settled, spooling


def test_a_database_that_is_there_gets_everything_and_the_spool_nothing() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    spool.broken = Unavailable("not to be used")
    with spooling(log, spool) as store:
        store.append_all([entry("d1")])
        store.append_all([entry("d2")])
        store.ping()
        assert store.notes() == {}
    assert [*log.decisions] == ["d1", "d2"]


def test_what_a_database_that_is_away_does_not_take_is_kept_and_enters_the_log_in_order_when_it_is_back() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    with spooling(log, spool) as store:
        store.append_all([entry("d1")])
        log.down = AWAY
        for number in range(2, 6):
            store.append_all([entry(f"d{number}")])
        assert [*log.decisions] == ["d1"]
        assert spool.depth().decisions == 4
        log.down = None
        settled(store)
        store.append_all([entry("d6")])
    assert [*log.decisions] == [f"d{number}" for number in range(1, 7)]
    assert spool.groups == []
    assert list(logged(log.links(), [], log_keys)) == []


@pytest.mark.parametrize("stuck", ["before", "after"])
@pytest.mark.parametrize("fails", [None, AWAY])
def test_a_commit_that_is_too_slow_is_not_waited_for_and_however_it_ends_nothing_is_doubled_or_lost(
    stuck: str, fails: PlatformError | None
) -> None:
    log, spool = StuckLog(), InMemorySpool()
    with spooling(log, spool, HASTY) as store:
        log.stuck, log.fails = stuck, fails
        store.append_all([entry("d1", key="m:a"), entry("d2")])
        store.append_all([entry("d3")])
        store.append_all([entry("d4")])
        assert spool.depth().decisions == 4
        assert store.answered("m:a") == entry("d1", key="m:a").answered
        assert "takes longer than 0.02 s" in store.notes()["spool"].problem
        log.let_go.set()
        settled(store)
    assert [*log.decisions] == ["d1", "d2", "d3", "d4"]
    assert log.answers.keys() == {"m:a"}


def test_while_one_commit_hangs_no_other_is_begun() -> None:
    log, spool = StuckLog(), InMemorySpool()
    with spooling(log, spool, HASTY) as store:
        log.stuck, before = "before", log.calls
        for number in range(5):
            store.append_all([entry(f"d{number}")])
        assert log.calls == before + 1
        log.let_go.set()
        settled(store)


def test_when_the_spool_is_full_too_nothing_is_taken_and_it_says_why() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool(most=2)
    log.down = AWAY
    with spooling(log, spool) as store:
        store.append_all([entry("d1", "d2")])
        store.ping()
        with pytest.raises(Unavailable, match="the spool is full"):
            store.append_all([entry("d3")])
        with pytest.raises(Unavailable, match="the database is away; and the spool is full"):
            store.ping()
        log.down = None
        settled(store)
        store.ping()
        store.append_all([entry("d4")])
    assert [*log.decisions] == ["d1", "d2", "d4"]


def test_a_spool_that_cannot_be_written_is_no_rescue_and_no_loss() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    log.down, spool.broken = AWAY, Unavailable("no room")
    with spooling(log, spool) as store:
        with pytest.raises(Unavailable, match="no room"):
            store.append_all([entry("d1")])
        with pytest.raises(Unavailable, match="away; and no room"):
            store.ping()
        log.down = spool.broken = None
        settled(store)
        store.append_all([entry("d2")])
    assert [*log.decisions] == ["d2"]


def test_what_an_earlier_process_left_is_drained_before_anything_new_enters_the_log() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    spool.put([entry("left")])
    with spooling(log, spool) as store:
        store.append_all([entry("new")])
        settled(store)
    assert [*log.decisions] == ["left", "new"]


def test_what_was_drained_already_before_a_crash_is_not_drained_twice() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    log.append_all([entry("d1", key="m:a")])
    spool.put([entry("d1", key="m:a")])
    spool.put([entry("d2")])
    with spooling(log, spool) as store:
        settled(store)
    assert [*log.decisions] == ["d1", "d2"]


def test_a_key_that_waits_in_the_spool_is_refused_and_its_answer_is_found() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    log.down = AWAY
    with spooling(log, spool) as store:
        store.append_all([entry("d1", key="m:a")])
        with pytest.raises(Conflict):
            store.append_all([entry("d2", key="m:a")])
        assert store.answered("m:a") == entry("d1", key="m:a").answered


def test_a_retry_of_what_an_earlier_process_left_gets_its_answer_while_the_database_is_away() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    spool.put([entry("d1", key="m:a")])
    log.down = AWAY
    with spooling(log, spool) as store:
        assert store.answered("m:a") == entry("d1", key="m:a").answered
        assert store.waiting


def test_a_retry_of_what_the_log_had_before_it_went_away_still_gets_its_answer() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    with spooling(log, spool) as store:
        store.append_all([entry("d1", key="m:a")])
        log.down = AWAY
        assert store.answered("m:a") == entry("d1", key="m:a").answered
        assert store.answered("m:b") is None


def test_a_look_for_an_answer_that_hangs_holds_nobody_up() -> None:
    log, spool = StuckLog(), InMemorySpool()
    with spooling(log, spool, HASTY) as store:
        log.stuck = "looking"
        assert store.answered("m:a") is None
        log.let_go.set()
        log.stuck = ""
        settled(store)
        assert store.answered("m:a") is None


def test_without_traffic_too_it_is_known_that_the_database_is_away_and_that_it_is_back() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    with spooling(log, spool) as store:
        log.down = AWAY
        store.ping()
        assert store.notes()["spool"].problem == "the database is away. nothing waits in the spool"
        log.down = None
        settled(store)
        assert store.notes() == {}


def test_other_refusals_of_the_log_are_told_and_not_spooled() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    with spooling(log, spool) as store:
        store.append_all([entry("d1")])
        with pytest.raises(Conflict):
            store.append_all([entry("d1")])
        log.down = Misconfigured("no key")
        with pytest.raises(Misconfigured):
            store.append_all([entry("d2")])
        with pytest.raises(Misconfigured):
            store.ping()
    assert spool.groups == []


def test_an_error_that_nobody_expected_does_not_end_the_draining() -> None:
    class Broken(InMemoryDecisionLog):
        broken = True

        def append_missing(self, entries: object) -> None:
            if self.broken:
                raise ZeroDivisionError
            super().append_missing(entries)  # type: ignore[arg-type]

    log, spool = Broken(), InMemorySpool()
    spool.put([entry("d1")])
    with spooling(log, spool) as store:
        with store._changed:
            assert store._changed.wait_for(lambda: store._trouble, 30)
        assert "ZeroDivisionError" in store.notes()["spool"].problem
        log.broken = False
        settled(store)
    assert [*log.decisions] == ["d1"]


def test_under_traffic_that_never_pauses_the_spool_still_empties() -> None:
    """As fast as it is drained it is filled: each commit lasts until something was put, each put until a commit began."""

    class Busy(InMemoryDecisionLog):
        def append_missing(self, entries: Sequence[Entry]) -> None:
            began.set()
            arrived.clear()
            arrived.wait(0.05)
            super().append_missing(entries)

    class Filling(InMemorySpool):
        def put(self, entries: Sequence[Entry]) -> None:
            super().put(entries)
            arrived.set()
            began.clear()
            began.wait(0.05)

    began, arrived = threading.Event(), threading.Event()
    log, spool = Busy(), Filling()
    with spooling(log, spool) as store:
        log.down = AWAY
        store.append_all([entry("d0")])
        log.down = None
        for number in range(1, 60):
            store.append_all([entry(f"d{number}")])
        assert not store.waiting
    assert [*log.decisions] == [f"d{number}" for number in range(60)]


def test_without_a_thread_nothing_is_recorded_nor_later_and_with_one_all_goes_on() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    with spooling(log, spool) as store:
        with no_more_threads():
            with pytest.raises(Unavailable, match="no further thread"):
                store.append_all([entry("d1")])
            with pytest.raises(Unavailable, match="no further thread"):
                store.begin([entry("d2")])
            with pytest.raises(Unavailable, match="no further thread"):
                store.ping()
        assert not store.waiting
        store.append_all([entry("d3")])
        store.ping()
    assert [*log.decisions] == ["d3"]
    assert spool.depth().decisions == 0


def test_an_orderly_end_drains_what_a_database_that_is_there_takes() -> None:
    log, spool = InMemoryDecisionLog(), InMemorySpool()
    log.down = AWAY
    store = Spooling(log, spool, PATIENT, FixedClock(NOW), pauses=[30.0])
    store.append_all([entry("d1")])
    log.down = None
    store.close()
    assert [*log.decisions] == ["d1"]


def test_an_end_while_the_database_hangs_is_not_held_up_and_what_waits_is_kept() -> None:
    log, spool = StuckLog(), InMemorySpool()
    store = Spooling(log, spool, HASTY, FixedClock(NOW))
    log.stuck = "before"
    store.append_all([entry("d1")])
    store.close(within=HASTY)
    assert spool.depth().decisions == 1
    log.let_go.set()


ACTS = st.lists(
    st.sampled_from(["append", "append", "append", "away", "back", "stuck before", "stuck after", "let go"]), max_size=30
)


@given(acts=ACTS)
@settings(max_examples=25)
def test_whatever_the_database_does_each_answered_decision_is_in_the_log_once_and_in_order(acts: list[str]) -> None:
    log, spool = StuckLog(), InMemorySpool()
    answered: list[str] = []
    with spooling(log, spool, HASTY) as store:
        for number, act in enumerate(acts):
            if act == "append":
                store.append_all([entry(f"d{number}")])
                answered.append(f"d{number}")
            elif act in ("away", "back"):
                log.down = AWAY if act == "away" else None
            elif act == "let go":
                log.let_go.set()
            else:
                log.let_go.clear()
                log.stuck = act.removeprefix("stuck ")
        log.stuck, log.down = "", None
        log.let_go.set()
        settled(store)
        store.append_all([entry("last")])
    assert [*log.decisions] == [*answered, "last"]
    assert list(logged(log.links(), [], log_keys)) == []
