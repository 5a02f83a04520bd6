"""Runs of batch scoring as folders: `<root>/<run>/plan.json`, `staged/part-00012`, `done/part-00012.json`."""

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.adapters import durable
from models.adapters.places import SUFFIX, Place
from models.adapters.private import private_folder
from models.bundle import canonical
from models.contract import Columns
from models.errors import Conflict, Integrity
from pipelines.adapters import parquet_tables
from pipelines.scoring.deciding import BY, REFUSED, ROW, VERDICT
from pipelines.scoring.parts import Kind, Part, Plan
from pipelines.scoring.run import Note

CLAIM, _PLAN = "_run.json", "plan.json"
_KINDS: Mapping[str, Kind] = {ROW: "integer", **VERDICT, **REFUSED, **BY}


class BatchFolder:
    """`quarantine` is private: a refused row may hold anything. So is `root`: what is staged names accounts."""

    def __init__(self, root: Path, quarantine: Path) -> None:
        self._root, self._quarantine = root, quarantine

    @contextmanager
    def claimed(self, plan: Plan) -> Iterator[Plan]:
        folder = self._folder(plan)
        with (folder / "owner").open("w") as owner:
            try:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict(f"another process is at work on run {plan.run[:12]}", hint="wait until it has finished") from error
            self._claim_output(plan)
            going_on = plan.after(self._begun(plan))
            durable.replace(folder / _PLAN, canonical(going_on.to_dict()))
            yield going_on

    def _begun(self, plan: Plan) -> list[Part]:
        """As they were cut when they were."""
        kept = self._folder(plan) / _PLAN
        if not kept.exists():
            return []
        done, before = self.notes(plan), Plan.from_dict(json.loads(kept.read_bytes()))
        return [part for part in before.parts if part.number in done or self.stage(plan, part).exists()]

    def notes(self, plan: Plan) -> Mapping[int, Note]:
        found = {}
        for path in sorted((self._folder(plan) / "done").glob("part-*.json")):
            found[int(path.stem.removeprefix("part-"))] = Note(**json.loads(path.read_bytes()))
        return found

    def stage(self, plan: Plan, part: Part) -> Path:
        folder = self._folder(plan) / "staged"
        folder.mkdir(exist_ok=True)
        return folder / f"{_name(part)}{SUFFIX}"

    def staged(self, plan: Plan, part: Part) -> Columns | None:
        path = self.stage(plan, part)
        if not path.exists():
            return None
        try:
            found = parquet_tables.columns(pq.read_table(path))
        except (pa.ArrowException, OSError) as error:
            raise Integrity(f"{path} cannot be read: {error}", hint="take it away; its rows are decided again") from error
        order = np.argsort(found[ROW], kind="stable")
        return {name: values[order] for name, values in found.items()}

    def drop(self, plan: Plan, part: Part) -> None:
        path = self.stage(plan, part)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def hand_out(self, plan: Plan, part: Part, answers: Columns, refused: Columns) -> None:
        Place.at(plan.output).put(f"{_name(part)}{SUFFIX}", _parquet(answers))
        if len(refused[ROW]):
            private_folder(self._quarantine)
            durable.replace(self.quarantine(plan) / f"{_name(part)}{SUFFIX}", _parquet(refused), mode=0o600)

    def finish(self, plan: Plan, part: Part, note: Note) -> None:
        durable.replace(self._folder(plan) / "done" / f"{_name(part)}.json", canonical(asdict(note)))
        self.drop(plan, part)

    def quarantine(self, plan: Plan) -> Path:
        return self._quarantine / plan.model / "scoring" / plan.run[:12]

    def _claim_output(self, plan: Plan) -> None:
        place, claim = Place.at(plan.output), canonical({"run": plan.run, "model": plan.model})
        if not place.has(CLAIM):
            place.put(CLAIM, claim)
            return
        with place.opened(CLAIM) as file:
            found = bytes(file.read())
        if found != claim:
            raise Conflict(
                f"{plan.output} holds the answers of another run",
                hint="name another OUTPUT; the same input goes on with its own run only while its files are what they were",
            )

    def _folder(self, plan: Plan) -> Path:
        return private_folder(self._root / plan.run)


def _parquet(columns: Columns) -> bytes:
    kinds = {name: _KINDS.get(name, "text") for name in columns}  # key, time and decision_id are texts
    sink = pa.BufferOutputStream()
    pq.write_table(parquet_tables.table(columns, kinds), sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _name(part: Part) -> str:
    return f"part-{part.number:06d}"
