"""What the workers of one service counted, each in a file of its own: whoever is asked tells for all of them.

A worker writes its file now and then and whenever it is asked, so a number that only grows never falls from one answer to the
next, whichever workers give them. The file of a worker that was killed stays: what it counted happened. The folder lives as
long as the service.
"""

import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from serving.telemetry.metering import Family, Histogram, joined

logger = logging.getLogger("steward.serving")


class MeterFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / f"{os.getpid()}.json"

    def together(self, own: Sequence[Family]) -> list[Family]:
        """What this worker tells for all of them."""
        self.keep(own)
        return joined(own, self._others())

    def keep(self, own: Iterable[Family]) -> None:
        """Readers find the file before or this one, whole. What cannot be written is told in the log: numbers stop nobody."""
        waiting = self._own.with_suffix(".new")
        try:
            waiting.write_text(json.dumps([_packed(family) for family in own if family.adds_up]))
            waiting.replace(self._own)
        except OSError as error:
            logger.warning("the numbers of this worker cannot be left to the others in %s: %s", self._folder, error.strerror)

    def _others(self) -> Iterator[list[Family]]:
        for path in sorted(self._folder.glob("*.json")):
            if path != self._own:
                yield [_opened(packed) for packed in json.loads(path.read_text())]


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
