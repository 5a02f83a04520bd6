"""`make drill`: one champion, a copy of its home for each drill, and the table of what was noticed."""

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from models import catalog
from models.clock import end_of_day
from models.errors import Unavailable
from models.usecase import Source
from pipelines.drills.catalogue import BASE, BEFORE, DRILLS, QUIET_WINDOWS, START, Drill
from pipelines.drills.injectors.deliveries import Faulty
from pipelines.drills.living import BATCH, live
from pipelines.drills.noticing import Lived
from pipelines.drills.plant import Home
from pipelines.drills.quiet import WINDOWS, Quiet, bootstrap, live_quietly
from pipelines.simulation import credit_cards
from pipelines.simulation.simulator import Simulator
from pipelines.steps import Kind
from pipelines.wiring import scoring_service

Say = Callable[[str], None]
SHOWN = 150  # characters of a sentence


@dataclass(frozen=True)
class Drilled:
    """Everything that came of a run. `quiet` is None if the quiet windows were not asked for."""

    lived: Sequence[Lived]
    quiet: Quiet | None
    seconds: float

    @property
    def missed(self) -> list[str]:
        """The names of the drills that nobody noticed in time, or that called somebody for nothing."""
        names = [lived.drill.name for lived in self.lived if not lived.passed]
        return [*names, QUIET_WINDOWS] if self.quiet and self.quiet.paged else names


def run(names: Sequence[str], say: Say, *, windows: int = WINDOWS) -> Drilled:
    """Each drill in a home of its own below a folder that goes away."""
    begun = time.perf_counter()
    with TemporaryDirectory(prefix="steward-drills-", ignore_cleanup_errors=True) as folder, _aside() as aside:
        base = prepared(Path(folder) / "base")
        say(f"{time.perf_counter() - begun:6.1f} s  a champion as of {BEFORE}, and {BEFORE} scored and monitored")
        asked = QUIET_WINDOWS in names
        calm = aside.submit(quiet, base.folder, Path(folder) / QUIET_WINDOWS, windows) if asked else None
        lived = [drilled(DRILLS[name], base, Path(folder) / name, say) for name in names if name in DRILLS]
        found = calm.result() if calm else None
    return Drilled(lived, found, time.perf_counter() - begun)


def _aside() -> ProcessPoolExecutor:
    """A second process for what needs no service: there are two cores. A fresh one, since threads of this one hold locks."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def quiet(base: Path, folder: Path, windows: int) -> Quiet:
    drawn = bootstrap(windows)
    return live_quietly(Home(base, drawn).copied(folder, drawn), drawn, windows, lambda text: print(text, flush=True))


def source(*drills: Drill) -> Source:
    """The accounts of a drill; without one, quiet ones. Months that a drill does not touch are the same in all."""
    shifts = tuple(shift for drill in drills for shift in drill.shifts)
    use_case = catalog.find(credit_cards.USE_CASE)
    made: Source = Simulator(credit_cards.pool(), replace(BASE, shifts=shifts), outcome_delay=use_case.outcome_delay)
    for drill in drills:
        made = Faulty(made, START, drill.fault) if drill.fault else made
    return made


def prepared(folder: Path) -> Home:
    """A home with a champion and one quiet month."""
    home = Home(folder, source())
    home.at(end_of_day(BEFORE.last_day))
    home.ingest()
    ending = home.train()
    if ending.kind is not Kind.PROMOTED:
        raise Unavailable(f"no champion came of training as of {BEFORE}: {ending.sentence}", hint="see the run's gate")
    with closing(_Service(home)) as service:
        records = home.accounts(BEFORE)
        for start in range(0, len(records), BATCH):
            service.process.score(records[start : start + BATCH], f"base-{start}")
    home.watch()
    return home


def drilled(drill: Drill, base: Home, folder: Path, say: Say) -> Lived:
    home = base.copied(folder, source(drill))
    with closing(_Service(home)) as service:
        lived = live(drill, home, service.process, folder)
    shutil.rmtree(folder, ignore_errors=True)
    say(f"{lived.seconds:6.1f} s  {drill.name}: {lived.result}")
    for notice in lived.notices:
        say(f"          {notice.at:%Y-%m-%d %H:%M}  {notice.weight.value:8} {notice.by}: {notice.text[:SHOWN]}")
    return lived


class _Service:
    """The scoring service of a home, running until it is closed."""

    def __init__(self, home: Home) -> None:
        self.process = scoring_service(home.parts(), home.environment)
        self.process.start()
        home.service_metrics = self.process.metrics

    def close(self) -> None:
        self.process.stop()
