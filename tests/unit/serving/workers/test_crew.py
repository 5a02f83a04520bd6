"""The process that looks after workers: who is started when, and how it ends. Workers here answer nothing."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from serving.workers import crew
from serving.workers.crew import Crew, pause

_FORK = get_context("fork")
Say = Callable[[str], None]


class Running:
    """A crew in a process of its own. `told` gives what it and its workers say, in order."""

    def __init__(self, count: int, work: Callable[..., int], drain_seconds: float, silent_seconds: float) -> None:
        self.told, self._tell = _FORK.Pipe(duplex=False)
        self.process: ForkProcess = _FORK.Process(target=self._run, args=(count, work, drain_seconds, silent_seconds))
        self.process.start()
        self._tell.close()

    def _run(self, count: int, work: Callable[..., int], drain_seconds: float, silent_seconds: float) -> None:
        logging.getLogger("steward.serving").addHandler(Telling(self._tell))
        logging.getLogger("steward.serving").setLevel(logging.INFO)

        def asked(say: Say, beat: Callable[[], None]) -> int:
            return work(self, say, beat) if work is beating else work(self, say)

        sys.exit(Crew(count, asked, lambda text: self.tell("said", text), drain_seconds, silent_seconds=silent_seconds).run())

    def tell(self, *what: Any) -> None:
        self._tell.send(what)

    def hear(self, first: str) -> tuple[Any, ...]:
        """The rest of the next thing told that begins so; what comes before is passed over."""
        while (what := self.told.recv())[0] != first:
            pass
        return tuple(what[1:])

    def end(self) -> int | None:
        self.process.join()
        return self.process.exitcode


class Telling(logging.Handler):
    def __init__(self, told: Connection) -> None:
        super().__init__()
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        self._told.send(("log", record.levelname, record.getMessage()))


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Running] = []

    def make(count: int, work: Callable[..., int], drain_seconds: float = 30.0, silent_seconds: float = float("inf")) -> Running:
        started.append(Running(count, work, drain_seconds, silent_seconds))
        return started[-1]

    yield make
    for running in started:
        running.process.kill()
        running.process.join()


def faithful(running: Running, say: Say) -> int:
    """Works until it is told to stop, and then takes its leave."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    say("here we are")
    running.tell("works", os.getpid())
    while not stopping:
        signal.pause()
    running.tell("left", os.getpid())
    return 0


def beating(running: Running, say: Say, beat: Callable[[], None]) -> int:
    """Faithful, and shows that it lives."""
    signal.signal(signal.SIGALRM, lambda *_: beat())
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    return faithful(running, say)


def ends_at_once(running: Running, _say: Say) -> int:
    running.tell("works", os.getpid())
    return 7


def deaf(running: Running, say: Say) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("here we are")
    running.tell("works", os.getpid())
    while True:
        signal.pause()


def test_the_first_worker_goes_ahead_and_what_it_says_is_said_once(start: Start) -> None:
    running = start(3, faithful)
    heard = [running.told.recv()]
    while sum(what[0] == "works" for what in heard) < 3:
        heard.append(running.told.recv())
    began = [what[0] for what in heard if what[0] in ("said", "works")]
    assert sorted(began) == ["said", "works", "works", "works"]
    assert "said" in began[:2]
    running.process.terminate()
    assert len({running.hear("left") for _ in range(3)}) == 3
    assert running.end() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_all_workers_leave_in_order_when_the_crew_is_told_to_stop(start: Start, how: signal.Signals) -> None:
    running = start(2, faithful)
    workers = {running.hear("works")[0] for _ in range(2)}
    assert running.process.pid is not None
    os.kill(running.process.pid, how)
    assert {running.hear("left")[0] for _ in range(2)} == workers
    assert running.end() == 0


def test_a_killed_worker_is_replaced_at_once(start: Start) -> None:
    running = start(2, faithful)
    workers = [running.hear("works")[0] for _ in range(2)]
    os.kill(workers[1], signal.SIGKILL)
    new = running.hear("works")[0]
    assert new not in workers
    running.process.terminate()
    assert {running.hear("left")[0] for _ in range(2)} == {workers[0], new}


def test_a_worker_that_hangs_is_killed_and_replaced_and_one_that_lives_is_not(start: Start) -> None:
    running = start(2, beating, silent_seconds=4.0)
    workers = [running.hear("works")[0] for _ in range(2)]
    os.kill(workers[1], signal.SIGSTOP)
    new = running.hear("works")[0]
    assert new not in workers
    running.process.terminate()
    assert {running.hear("left")[0] for _ in range(2)} == {workers[0], new}


def test_who_is_silent_is_named(start: Start) -> None:
    running = start(1, beating, silent_seconds=2.0)
    (worker,) = running.hear("works")
    os.kill(worker, signal.SIGSTOP)
    while not (said := running.hear("log")[1]).startswith(f"worker 1 (process {worker}) was silent for"):
        pass
    assert said.endswith("it hangs, and is killed")
    assert running.hear("log")[1] == f"worker 1 (process {worker}) was ended by SIGKILL; a new one starts at once"


def test_a_crew_that_was_asleep_itself_calls_nobody_silent() -> None:
    """After Ctrl-Z, or a laptop that was closed, all would have been silent."""

    class Worker:
        pid, killed = 7, False

        def kill(self) -> None:
            self.killed = True

    crew, worker = Crew(1, lambda *_: 0, lambda _: None, 1.0, silent_seconds=10.0), Worker()
    (place,) = crew._places
    place.worker, place.heard = worker, monotonic() - 60.0  # type: ignore[assignment]
    crew._looked = monotonic() - 60.0
    crew._kill_the_silent()
    assert not worker.killed
    place.heard = monotonic() - 60.0
    crew._kill_the_silent()
    assert worker.killed


def test_what_ended_and_how_is_logged(start: Start) -> None:
    running = start(1, faithful)
    (worker,) = running.hear("works")
    os.kill(worker, signal.SIGKILL)
    logged = running.hear("log")
    while logged[0] != "ERROR":
        logged = running.hear("log")
    assert logged[1] == f"worker 1 (process {worker}) was ended by SIGKILL; a new one starts at once"


def test_a_first_worker_that_cannot_start_ends_the_crew_with_an_error_and_no_other_is_tried(start: Start) -> None:
    running = start(3, ends_at_once)
    running.hear("works")
    assert running.hear("log")[1].endswith("ended with code 7 before it took a request: the service cannot start")
    assert running.end() == 1
    with pytest.raises(EOFError):
        running.hear("works")


def test_later_workers_that_end_at_once_are_given_more_and_more_time_until_none_is_left(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(crew, "ONE", 0.1)
    worked = tmp_path / "worked"

    def faithful_once(running: Running, say: Say) -> int:
        """The first one works until it is killed."""
        if worked.exists():
            return ends_at_once(running, say)
        worked.touch()
        return faithful(running, say)

    running = start(1, faithful_once)
    os.kill(running.hear("works")[0], signal.SIGKILL)
    said = []
    while not said or said[-1][0] != "CRITICAL":
        said.append(running.hear("log"))
    pauses = [text.partition("a new one starts ")[2] for level, text in said if level == "ERROR"]
    assert pauses == ["at once", "in 0.1 s", "in 0.2 s", "in 0.4 s"]
    assert said[-1][1].endswith("no worker can work any more, the service ends")
    assert running.end() == 1


def test_pauses_begin_with_none_and_double_up_to_a_limit() -> None:
    assert [pause(deaths) for deaths in range(5)] == [0, 0, 0.5, 1, 2]
    assert pause(50) == crew.LONGEST


def test_a_worker_that_does_not_stop_is_killed_when_its_time_is_over(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "MARGIN", 0.2)
    running = start(1, deaf, drain_seconds=0.1)
    (worker,) = running.hear("works")
    running.process.terminate()
    while running.hear("log")[1] != f"worker 1 (process {worker}) did not stop in time and is killed":
        pass
    assert running.end() == 0


def test_workers_stop_when_their_crew_was_killed(start: Start) -> None:
    running = start(2, faithful)
    workers = {running.hear("works")[0] for _ in range(2)}
    running.process.kill()
    assert {running.hear("left")[0] for _ in range(2)} == workers
