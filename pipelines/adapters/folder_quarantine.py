"""Quarantine as folders: the batch as delivered, the verdict for programs, and the verdict for people."""

import json
import shutil
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.adapters import arrow, durable
from models.contract import Columns
from models.errors import Unavailable
from models.lake import content_digest
from pipelines.batches import Batch, Verdict
from pipelines.validation import markdown


class FolderQuarantine:
    """`<root>/<use case>/<table>/<month>-<digest>/`. Keep `root` restricted: a bad batch may carry anything, audit too."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def store(self, batch: Batch, verdict: Verdict) -> str:
        place = self._root / batch.use_case / batch.table / f"{batch.month}-{content_digest(batch.columns)[:12]}"
        try:
            if not place.exists():
                self._commit(place, batch, verdict)
        except OSError as error:
            raise Unavailable(
                f"{place} cannot be written: {error.strerror}", hint="the batch was refused all the same; free the disk"
            ) from error
        return str(place / "verdict.md")

    def _commit(self, place: Path, batch: Batch, verdict: Verdict) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        for leftover in place.parent.glob(f".{place.name}.*"):
            shutil.rmtree(leftover)
        waiting = place.with_name(f".{place.name}.{uuid4().hex}")
        waiting.mkdir()
        sink = pa.BufferOutputStream()
        pq.write_table(arrow.table(_even(batch.columns)), sink)
        durable.write_synced(waiting / "batch.parquet", sink.getvalue().to_pybytes())
        durable.write_synced(waiting / "verdict.json", json.dumps(verdict.to_dict(), indent=2).encode())
        durable.write_synced(waiting / "verdict.md", markdown(batch, verdict).encode())
        durable.sync_folder(waiting)
        waiting.rename(place)
        durable.sync_folder(place.parent)


def _even(columns: Columns) -> Columns:
    """Parquet needs columns of one length; a broken batch may lack that too."""
    longest = max((len(values) for values in columns.values()), default=0)
    if all(len(values) == longest for values in columns.values()):
        return columns
    padded = {name: np.full(longest, None, dtype=object) for name in columns}
    for name, values in columns.items():
        padded[name][: len(values)] = values
    return padded
