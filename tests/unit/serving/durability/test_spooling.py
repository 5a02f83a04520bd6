"""What the database does not take in time waits in the spool, and enters the log once, in order."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clock import FixedClock
from models.errors import Conflict, Integrity, Misconfigured, PlatformError, Unavailable
from monitoring.custody import logged
from monitoring.decisions import Answered, Entry
from serving.adapters.spool_files import FileSpool
from serving.durability.spool import Spool
from serving.durability.spooling import Spooling
from tests.bundles import NOW
from tests.contracts.test_decision_log import decision
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.spool import InMemorySpool
from tests.fakes.stuck import StuckLog
from tests.fakes.threads import no_more_threads
from tests.rings import log_keys

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


class FullLog(InMemoryDecisionLog):
    """It answers, and takes nothing: its disk is full."""

    full: PlatformError | None = None

    def append_all(self, entries: Sequence[Entry]) -> None:
        if self.full:
            raise self.full
        super().append_all(entries)


class FullSpool(InMemorySpool):
    """What waits can be read, and nothing be added."""

    full: PlatformError | None = None

    def put(self, entries: Sequence[Entry]) -> None:
        if self.full:
            raise self.full
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
