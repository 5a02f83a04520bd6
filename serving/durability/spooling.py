"""Recording that does not depend on the database: what that does not take in time goes into the spool.

One thread of the process writes to the database. It commits what it is given; while anything waits in the spool, it drains
that instead and what is new joins the end of the spool, so decisions enter the log in the order in which they were answered.
A commit that takes too long is not waited for: its decisions go into the spool, too. Whether it succeeds in the end does not
matter, because draining begins when it has ended, and appends only what the log does not have.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from models.clock import Clock
from models.errors import Conflict, Integrity, PlatformError, Unavailable
from monitoring.decisions import Answered, DecisionLog, Entry
from serving.durability.patience import Helpers, Job, TooSlow
from serving.durability.recent import Recent
from serving.durability.spool import Depth, Spool

DRAINED = 1_000
"""Decisions of one commit while draining: requests are answered meanwhile, by the same processor."""
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds between tries to reach a database that is away; the last from then on."""
LATE = timedelta(minutes=5)
"""A decision that waits for longer is told of: its database is slow or away for longer than a restart takes."""
LOOKING = 4
"""Threads that look answers up for retries."""

logger = logging.getLogger("steward.serving")


class Spooling:
    """An `Intake` of one process. `append_all` has one caller at a time; the rest is safe for several threads."""

    def __init__(self, log: DecisionLog, spool: Spool, after: float, clock: Clock, pauses: Sequence[float] = PAUSES) -> None:
        """`after`: seconds that the database may take before decisions go into the spool."""
        self._log = log
        self._spool = spool
        self._after = after
        self._clock = clock
        self._pauses = pauses
        self._recent = Recent()
        self._writer = Helpers("decision-log", between=self._drain)
        self._looks = Helpers("answers", LOOKING)
        self._changed = threading.Condition()  # for what follows; and what is put excludes the end of spooling
        self._spooling = False
        self._last = False  # the database answers, and takes all that waits in a moment
        self._trouble: PlatformError | None = None  # the database's, while it is not reached
        self._refused: PlatformError | None = None  # the spool's, of what it did not take last, if nothing was taken since
        self._lately = False  # it refused something since somebody last looked whether anything can be recorded
        self._told = False  # the log of the process says that decisions go into the spool
        self._edited: Integrity | None = None  # it is used no more
        self._committing = False
        self._closing, self._late = threading.Event(), threading.Event()
        if spool.depth().groups:
            self._begin(None)
        else:
            self._notice_edits()

    def append_all(self, entries: Sequence[Entry]) -> None:
        """Durable when it returns, in the log or in the spool. Raises as both, and nothing is recorded then; only a commit
        that was too slow for a spool that is full may still be."""
        if not self._put(entries):
            self._start(entries).finish()

    def begin(self, entries: Sequence[Entry]) -> "Commit | None":
        """Begin what `append_all` does and return at once; None while anything is in the way. Counts as a call of `append_all`
        until it is finished or done."""
        if self._spooling or self._last or self._trouble:
            return None
        return self._start(entries)

    def _start(self, entries: Sequence[Entry]) -> "Commit":
        job = self._writer.begin(partial(self._log.append_all, entries))
        self._committing = True
        return Commit(job, self._after, partial(self._end, entries))

    def _end(self, entries: Sequence[Entry], error: Exception | None) -> None:
        """A commit was made, or failed, or took too long: that goes into the spool, any other refusal is raised."""
        try:
            if error is None:
                self._taken()
            elif isinstance(error, Unavailable | TooSlow):
                self._begin(_plain(error, self._after), entries)
            else:
                raise error
        finally:
            self._committing = False
        self._recent.add(entries)

    def answered(self, key: str) -> Answered | None:
        """What was answered under a key. While the database is away, what waits in the spool and the last answers are known."""
        if found := self._spool.answered(key):
            return found
        if not self._trouble:
            try:
                return self._looks.do(partial(self._log.answered, key), self._after)
            except (Unavailable, TooSlow) as error:
                self._begin(_plain(error, self._after))
        return self._recent.get(key)

    def ping(self) -> None:
        """Raises if nothing can be recorded now, neither in the log nor in the spool.

        A database that answers may take nothing all the same: its disk is full. What was refused since the look before shows it;
        if nothing was, only the next to come can, and must be let in.
        """
        lately, self._lately = self._lately, False
        if not self._spooling and not self._committing:  # a commit finds out by itself
            try:
                self._writer.do(self._log.ping, self._after)
            except (Unavailable, TooSlow) as error:
                self._begin(_plain(error, self._after))
            else:
                if not lately:
                    self._reached()
        trouble, refused = self._trouble, self._edited or self._refused
        if trouble and refused:
            raise Unavailable(f"{trouble.problem}; and {refused.problem}", hint=f"{trouble.hint}; {refused.hint}")

    @property
    def waiting(self) -> bool:
        """Whether decisions were answered that are not in the log yet."""
        return self._spooling

    def depth(self) -> Depth:
        return self._spool.depth()

    def late(self) -> int:
        """Decisions that wait, if the oldest of them has waited for longer than a passing fault of a database takes."""
        depth = self._spool.depth()
        return depth.decisions if depth.oldest and self._clock.now() - depth.oldest > LATE else 0

    def notes(self) -> Mapping[str, PlatformError]:
        """What a person should know of the spool, by `spool`."""
        trouble, edited = self._trouble, self._edited
        if edited:
            return {"spool": edited}
        if trouble:
            return {"spool": Unavailable(f"{trouble.problem}. {self._spool.depth()}", hint=trouble.hint)}
        if refused := self._refused:
            problem = f"{refused.problem}; whether the log takes decisions again is known with the next"
            return {"spool": Unavailable(problem, hint=refused.hint)}
        if self._spooling:
            return {"spool": Unavailable(f"{self._spool.depth()}: it is being drained", hint="wait until it is empty")}
        return {}

    def close(self, within: float = 5.0) -> None:
        """Drain what a database that is there takes within so many seconds. What remains waits for the next start."""
        self._closing.set()
        self._writer.close(within)
        self._late.set()
        self._looks.close(0)

    def _put(self, entries: Sequence[Entry]) -> bool:
        """Into the spool, if that is where it belongs now."""
        with self._changed:
            if self._last:  # then the log takes these itself
                self._changed.wait_for(lambda: not self._last, self._after)
                self._last = False
            if not self._spooling:
                return False
            self._keep(entries)
        self._recent.add(entries)
        return True

    def _begin(self, trouble: PlatformError | None, entries: Sequence[Entry] = ()) -> None:
        """Spool from now on, these first. Raises `Unavailable` if nobody could drain it; then nothing has changed."""
        with self._changed:
            self._writer.ready()
            if trouble:
                self._say(trouble)
            self._trouble, self._spooling = trouble, self._edited is None
            self._writer.poke()
            if entries:
                self._keep(entries)

    def _say(self, trouble: PlatformError) -> None:
        if not self._told:
            logger.warning("decisions %s: %s", "are refused" if self._edited else "go into the spool", trouble.problem)
            self._told = True

    def _reached(self) -> None:
        """The database answers. A spool that is used no more is not drained, so nothing else finds out that it is back."""
        with self._changed:
            if self._trouble and not self._spooling:
                self._trouble = None
                if not self._refused:
                    self._again()

    def _taken(self) -> None:
        """The log took something: whatever was said of it before is over."""
        if self._told or self._refused:
            with self._changed:
                if not self._spooling:
                    self._again()

    def _again(self) -> None:
        self._trouble = self._refused = None
        self._told = False
        logger.warning("%sdecisions go into the log again", "" if self._edited else "the spool is empty: ")

    def _keep(self, entries: Sequence[Entry]) -> None:
        try:
            if self._edited:
                raise self._edited
            self._spool.put(entries)
        except (Unavailable, Integrity) as error:
            self._refused, self._lately = error, True
            raise
        self._refused = None

    def _drain(self) -> None:
        """Until nothing waits, or the service is to end."""
        tries = 0
        while self._spooling and not self._late.is_set():
            if self._drained_some():
                tries = 0
                continue
            if self._closing.is_set():
                return
            self._closing.wait(self._pauses[min(tries, len(self._pauses) - 1)])
            tries += 1

    def _drained_some(self) -> bool:
        try:
            self._to_the_log()
        except Integrity as error:
            self._give_up(error)
        except Conflict:  # a commit of a process that was killed has just ended: the next try finds it there
            with self._changed:
                self._last = False
                self._changed.notify_all()
            return False
        except Exception as error:  # noqa: BLE001, without this thread nothing would be drained any more
            known = error if isinstance(error, PlatformError) else Unavailable(f"draining failed: {error!r}", hint="tell us")
            with self._changed:
                self._say(known)  # of a process that was started meanwhile, nothing was said yet
                self._trouble, self._last = known, False
                self._changed.notify_all()
            return False
        return True

    def _notice_edits(self) -> None:
        """A spool whose first file was edited holds nothing that can be drained: it would pass for an empty one."""
        try:
            self._spool.oldest(1)
        except Integrity as error:
            self._give_up(error)

    def _to_the_log(self) -> None:
        with self._changed:
            self._last = self._trouble is None and self._spool.depth().decisions <= DRAINED
        batch = self._spool.oldest(DRAINED)
        if batch is None:
            self._log.ping()
        else:
            self._log.append_missing(batch.entries)
            self._spool.drop(batch)
            if not self._spool.depth().groups:
                self._spool.oldest(1)  # raises if what is left was edited: that is not counted among what waits
        with self._changed:
            waits = self._spool.depth()
            self._spooling = waits.groups > 0
            self._last = self._spooling and waits.decisions <= DRAINED
            if batch or not self._refused:  # else nothing was taken yet: the next decision is for the log to take, or to refuse
                self._trouble = self._refused = None
                if not self._spooling:
                    self._again()
            self._changed.notify_all()

    def _give_up(self, edited: Integrity) -> None:
        """What was edited is not drained, and nothing is put behind it; the database takes what is new, if it is there."""
        logger.error("%s", edited)
        with self._changed:
            self._edited, self._spooling, self._last, self._trouble = edited, False, False, None
            self._changed.notify_all()


class Commit:
    """A commit of the log that is waited for as long as it may take."""

    def __init__(self, job: Job[None], after: float, end: Callable[[Exception | None], None]) -> None:
        self._job = job
        self._after = after
        self._end = end

    def done(self, within: float) -> bool:
        done = self._job.done(within)
        if done:
            self._end(None)
        return done

    def finish(self) -> None:
        """As `Spooling.append_all`: into the spool, if the log does not take it in time."""
        try:
            self._job.result(self._after)
        except Exception as error:  # noqa: BLE001, whatever it is, the commit has ended
            self._end(error)
        else:
            self._end(None)


def _plain(error: Unavailable | TooSlow, after: float) -> Unavailable:
    if isinstance(error, Unavailable):
        return error
    return Unavailable(
        f"the decision log's database takes longer than {after:g} s", hint="see to its database (STEWARD_DATABASE_URL)"
    )
