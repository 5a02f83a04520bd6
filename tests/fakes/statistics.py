"""Statistics over the arrays of a lake in memory, by the reference's own counting."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import reference
from models.contract import Columns
from models.lake import Lake, PartitionVersion
from models.policy import Segment
from models.reference import matching
from monitoring.drift import Binnings
from monitoring.outcomes.estimation import sketch


class ArrayStatistics:
    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def counts(
        self, partition: PartitionVersion, binnings: Mapping[str, Mapping[str, Any]], *, by: str
    ) -> dict[str, dict[str, NDArray[np.int64]]]:
        columns = self._lake.read([partition])
        return {
            str(group): {name: reference.counts(bins, columns[name][columns[by] == group]) for name, bins in binnings.items()}
            for group in np.unique(columns[by])
        }

    def tally(
        self, partition: PartitionVersion, binnings: Binnings, segments: Mapping[str, Segment], *, where: tuple[str, str]
    ) -> dict[str, dict[str, NDArray[np.int64]]]:
        own, inside = self._divided(partition, segments, where)
        return {
            name: {key: _counted(binning, own[key][chosen]) for key, binning in binnings.items()}
            for name, chosen in inside.items()
        }

    def scored(
        self, partition: PartitionVersion, segments: Mapping[str, Segment], *, where: tuple[str, str]
    ) -> dict[str, NDArray[np.float64]]:
        own, inside = self._divided(partition, segments, where)
        return {name: sketch(own["probability"][chosen]) for name, chosen in inside.items()}

    def _divided(
        self, partition: PartitionVersion, segments: Mapping[str, Segment], where: tuple[str, str]
    ) -> tuple[Columns, dict[str, NDArray[np.bool_]]]:
        columns = self._lake.read([partition])
        own = {name: values[columns[where[0]] == where[1]] for name, values in columns.items()}
        rows = len(next(iter(own.values())))
        return own, {"": np.ones(rows, dtype=np.bool_)} | {name: matching(segment, own) for name, segment in segments.items()}

    def distinct(self, partition: PartitionVersion, name: str, *, by: str) -> dict[str, int]:
        columns = self._lake.read([partition])
        return {str(group): len(np.unique(columns[name][columns[by] == group])) for group in np.unique(columns[by])}

    def sample(
        self, partition: PartitionVersion, names: Sequence[str], rows: int, *, key: str, where: tuple[str, str] | None = None
    ) -> Columns:
        columns = self._lake.read([partition])
        chosen = np.flatnonzero(columns[where[0]] == where[1]) if where else np.arange(partition.rows)
        order = sorted(chosen, key=lambda row: hashlib.sha256(str(columns[key][row]).encode()).digest())[:rows]
        return {name: columns[name][order] for name in names}


def _counted(binning: Mapping[str, Any], values: NDArray[Any]) -> NDArray[np.int64]:
    if "firsts" not in binning:
        return reference.counts(binning, values)
    named = [json.loads(text)[0]["code"] for text in values if text]
    known = [named.count(code) for code in binning["firsts"]]
    return np.array([*known, len(named) - sum(known)], dtype=np.int64)
