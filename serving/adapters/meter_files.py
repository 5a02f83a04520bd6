"""What the workers of one service counted, each in a file of its own: whoever is asked tells for all of them.

A worker writes its file now and then and whenever it is asked, so a number that only grows never falls from one answer to the
next, whichever workers give them. The file of a worker that was killed stays: what it counted happened. What it had in hand is
gone with it: of a process that is no more, no gauge counts. The folder lives as long as the service.
"""

import json
import logging
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from monitoring.telemetry.families import Family, Histogram, Labels, joined
from serving.telemetry.metering import Numbers
from serving.workers.crew import Why

logger = logging.getLogger("steward.serving")


class MeterFiles:
    """Safe for several threads: a scrape may come during a look at the channel, or during another scrape."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / f"{os.getpid()}.json"
        self._turn = Lock()
        self._writes = count()
        self._newest = 0
        self._whole: dict[Path, list[Family]] = {}  # what the others left when it could last be read

    def together(self, own: Numbers) -> list[Family]:
        """What this worker tells for all of them."""
        with self._turn:
            self._leave(own)
            others = [*self._others()]
        return joined(own, others)

    def keep(self, own: Numbers) -> None:
        """Readers find the file before or this one, whole. What cannot be written is told in the log: numbers stop nobody."""
        with self._turn:
            self._leave(own)

    def _leave(self, own: Numbers) -> None:
        if own.moment < self._newest:  # a thread that came late: others may have told the newer numbers already
            return
        waiting = self._own.with_suffix(f".{next(self._writes)}.new")
        try:
            waiting.write_text(json.dumps([_packed(family) for family in own if family.adds_up]))
            waiting.replace(self._own)
        except OSError as error:
            logger.warning("the numbers of this worker cannot be left to the others in %s: %s", self._folder, error.strerror)
        else:
            self._newest = own.moment

    def _others(self) -> Iterator[list[Family]]:
        """What cannot be read now counts as it was read last, so that no number falls."""
        for path in sorted(self._folder.glob("*.json")):
            if path != self._own:
                try:
                    self._whole[path] = [_opened(packed) for packed in json.loads(path.read_text())]
                except (OSError, ValueError) as error:
                    logger.warning("the numbers of another worker in %s cannot be read: %s", path, error)
                found = self._whole.get(path, [])
                yield found if _lives(path) else [family for family in found if family.kind != "gauge"]


def _lives(left: Path) -> bool:
    """Whether there is still a process of the number that the file is named by."""
    try:
        os.kill(int(left.stem), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:  # it is somebody else's
        pass
    return True


class CrewFile:
    """How often a worker had to be replaced, beside what the workers counted: whoever is asked tells it, too."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "crew.json"
        self._counts: dict[Why, float] = {"hung": 0.0, "ended": 0.0}
        self._write()  # zero is said before anything happens: of a number that appears as 1 nobody sees that it grew

    def replaced(self, why: Why) -> None:
        self._counts[why] += 1
        self._write()

    def _write(self) -> None:
        samples: dict[Labels, float | Histogram] = {(("why", why),): count for why, count in self._counts.items()}
        family = Family("steward_workers_replaced", "counter", "workers that hung or ended, and were replaced", samples)
        waiting = self._path.with_suffix(".new")
        try:
            waiting.write_text(json.dumps([_packed(family)]))
            waiting.replace(self._path)
        except OSError as error:
            logger.warning("how often workers were replaced cannot be told: %s", error.strerror)


def _packed(family: Family) -> list[Any]:
    samples = [
        [labels, [value.ends, value.counts, value.total] if isinstance(value, Histogram) else value]
        for labels, value in family.samples.items()
    ]
    return [family.name, family.kind, family.about, samples]


def _opened(packed: list[Any]) -> Family:
    name, kind, about, samples = packed
    found = {
        tuple((key, text) for key, text in labels): Histogram(*value) if isinstance(value, list) else value
        for labels, value in samples
    }
    return Family(name, kind, about, found)
