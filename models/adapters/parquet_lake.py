"""The lake as Parquet files: `<root>/<table>/month=2005-07/v0001.parquet`, one immutable file a version.

Everything that belongs to a version, its facts and digests too, is in the file itself. So one exclusive link commits it:
a killed writer leaves a hidden file that no reader looks at and that the next writer removes. In a bucket an object is
there or not. Any engine that reads Parquet finds the partitions by their path.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.adapters import arrow
from models.adapters.lake_files import SUFFIX, Address, At, Bucket, Files, Folder
from models.bundle import canonical, sha256
from models.clock import Month
from models.contract import Array, Columns
from models.errors import Conflict, InputRefused, Integrity, NotFound, PlatformError, Unavailable
from models.lake import ColumnDigest, Lake, Location, PartitionVersion, column_digest, combined_digest

_RECORD, _SEAL = "steward", "steward.sha256"
_BATCH = 131_072  # rows of a column that are checked at a time


@dataclass(frozen=True)
class _Stored:
    """A version with the digest of each of its columns, as its file's metadata have it."""

    partition: PartitionVersion
    columns: Mapping[str, str]


class _Partitions(Generic[At]):
    """Tables with an entry in `schemas` take exactly these columns; others take what they are given."""

    def __init__(self, files: Files[At], schemas: Mapping[str, pa.Schema]) -> None:
        self._files = files
        self._schemas = schemas

    def write(
        self,
        table: str,
        month: Month,
        columns: Columns,
        *,
        recorded_at: datetime,
        facts: Mapping[str, str] | None = None,
        after: int = 0,
    ) -> PartitionVersion:
        newest = next(reversed(self.history(table, month)), None)
        digests = {name: column_digest(values) for name, values in columns.items()}
        digest, facts = combined_digest(digests), dict(facts or {})
        if newest and (newest.digest, newest.facts) == (digest, facts):
            return newest
        if newest and recorded_at < newest.recorded_at:
            raise _late(newest, recorded_at)
        contents = self._typed(table, columns)
        version = max(newest.version if newest else 0, after) + 1
        added = PartitionVersion(table, month, version, digest, contents.num_rows, recorded_at, facts)
        self._commit(_Stored(added, digests), contents)
        return added

    def versions(self, table: str, *, known_at: datetime | None = None) -> list[PartitionVersion]:
        newest: list[PartitionVersion] = []
        for folder in self._files.folders(table):
            history = self.history(table, Month.parse(folder.removeprefix("month=")))
            newest += [p for p in history if known_at is None or p.recorded_at <= known_at][-1:]
        return newest

    def history(self, table: str, month: Month) -> list[PartitionVersion]:
        return [self._stored(where).partition for where in self._files.files(_folder(table, month))]

    def read(self, partitions: Sequence[PartitionVersion], names: Sequence[str] | None = None) -> Columns:
        if not partitions:
            raise NotFound("no partition was asked for", hint="run the ingest first, or ask for a later date")
        parts = [self._checked(partition, names) for partition in partitions]
        return {name: np.concatenate([part[name] for part in parts]) for name in names or parts[0]}

    def check(self, partition: PartitionVersion, names: Sequence[str]) -> None:
        path, stored = self.path(partition), self._known(partition, names)
        untyped = [name for name in names if stored.columns[name].startswith("untyped:")]
        if untyped:  # of a broken batch: it has no form to be read by
            self._checked(partition, untyped)
        for name in [name for name in names if name not in untyped]:
            with self._files.opened(path) as file:
                digest = stored_digest(file, name, path)
            if digest != stored.columns[name]:
                raise _damaged(path, f"the values of {name} do not match their digest")

    def path(self, partition: PartitionVersion) -> At:
        return self._files.at(f"{_folder(partition.table, partition.month)}/v{partition.version:04d}{SUFFIX}")

    def restore(self, partition: PartitionVersion, columns: Columns) -> None:
        digests = {name: column_digest(values) for name, values in columns.items()}
        if combined_digest(digests) != partition.digest:
            raise Integrity(
                f"{self.path(partition)} held other content than what is to be put back", hint="restore it from its backup"
            )
        self._commit(_Stored(partition, digests), self._typed(partition.table, columns))

    def examined(self) -> Iterator[tuple[At, PartitionVersion | PlatformError]]:
        for path in self._files.every():
            try:
                yield path, self._sound(path)
            except PlatformError as error:
                yield path, error

    def forget(self, partition: PartitionVersion) -> None:
        if partition.version == self.history(partition.table, partition.month)[-1].version:
            raise Conflict(f"{self.path(partition)} is the newest version", hint="only what was superseded can be forgotten")
        path = self.path(partition)
        try:
            self._files.remove(path)
        except OSError as error:
            raise Unavailable(
                f"{path} cannot be deleted: {error.strerror or error}", hint="run the same command again"
            ) from error

    def _typed(self, table: str, columns: Columns) -> pa.Table:
        contents, expected = arrow.table(columns), self._schemas.get(table)
        if expected is None:
            return contents
        given = {field.name: field.type for field in contents.schema}
        if given != {field.name: field.type for field in expected}:
            raise InputRefused(
                f"{table} holds {_described(expected)}; given was {_described(contents.schema)}",
                hint="the contract says what each table holds; audit columns go to the restricted lake only",
            )
        return contents.select(expected.names).cast(expected)

    def _commit(self, stored: _Stored, contents: pa.Table) -> None:
        path = self.path(stored.partition)
        buffer = BytesIO()
        notes = sealed(stored.partition, stored.columns)
        pq.write_table(contents.replace_schema_metadata(notes), buffer, compression="zstd")
        try:
            self._files.create(path, buffer.getvalue())
        except (FileExistsError, FileNotFoundError) as error:
            raise Conflict(f"another writer added {path} meanwhile", hint="run the ingest again") from error
        except OSError as error:
            raise Unavailable(
                f"{path} cannot be written: {error.strerror or error}", hint="nothing was changed; free the disk"
            ) from error

    def _sound(self, path: At) -> PartitionVersion:
        partition = self._stored(path).partition
        if self.path(partition) != path:
            raise _damaged(path, f"it is {self._files.name(self.path(partition))} in its place")
        self._checked(partition, None)
        return partition

    def _checked(self, partition: PartitionVersion, names: Sequence[str] | None) -> dict[str, Array]:
        path, stored = self.path(partition), self._known(partition, names)
        columns = self._read(path, names)
        for name in stored.columns if names is None else names:
            if name not in columns or column_digest(columns[name]) != stored.columns[name]:
                raise _damaged(path, f"the values of {name} do not match their digest")
        return columns

    def _known(self, partition: PartitionVersion, names: Sequence[str] | None) -> _Stored:
        """What the file says of itself, if it is the version asked for and has these columns."""
        path = self.path(partition)
        stored = self._stored(path)
        if stored.partition.digest != partition.digest or combined_digest(stored.columns) != partition.digest:
            raise _damaged(path, "its digest is not the one that was recorded")
        if unknown := [name for name in names or () if name not in stored.columns]:
            raise NotFound(f"{path} has no column {unknown[0]!r}", hint=f"it has {', '.join(stored.columns)}")
        return stored

    def _stored(self, path: At) -> _Stored:
        try:
            with self._files.opened(path) as file:
                notes = arrow.metadata(pq.read_schema(file))
        except FileNotFoundError as error:
            raise NotFound(f"the lake has no {path}", hint="run the ingest again") from error
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(path, "it is not readable as Parquet") from error
        if sha256(notes.get(_RECORD, "").encode()) != notes.get(_SEAL):
            raise _damaged(path, "its record was edited or is missing")
        return _unpacked(json.loads(notes[_RECORD]))

    def _read(self, path: At, names: Sequence[str] | None) -> dict[str, Array]:
        try:
            with self._files.opened(path) as opened, pq.ParquetFile(opened) as file:
                return arrow.columns(file.read(columns=None if names is None else list(names)))
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(path, "it is not readable as Parquet") from error


class ParquetLake(_Partitions[Path]):
    """In a folder."""

    def __init__(self, root: Path, schemas: Mapping[str, pa.Schema] = MappingProxyType({})) -> None:
        super().__init__(Folder(root), schemas)


class BucketLake(_Partitions[Address]):
    """In an S3 bucket, `s3://bucket/prefix`."""

    def __init__(self, root: str, schemas: Mapping[str, pa.Schema] = MappingProxyType({})) -> None:
        super().__init__(Bucket(root), schemas)


def lake_at(root: str | Path, schemas: Mapping[str, pa.Schema] = MappingProxyType({})) -> Lake:
    """By what the address says."""
    return BucketLake(str(root), schemas) if "://" in str(root) else ParquetLake(Path(root), schemas)


def _folder(table: str, month: Month) -> str:
    return f"{table}/month={month}"


def stored_digest(source: Any, name: str, where: Location) -> str:
    """`column_digest` of a column as it is stored, read in batches; `source` is a path or an open file."""
    try:
        with pq.ParquetFile(source) as file:
            digest = ColumnDigest(arrow.kind(file.schema_arrow.field(name).type), file.metadata.num_rows)
            for form in digest.passes:
                for batch in file.iter_batches(_BATCH, columns=[name]):
                    digest.update(arrow.bytes_of(batch.column(0), form))
            return str(digest)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _damaged(where, "it is not readable as Parquet") from error


def sealed(partition: PartitionVersion, columns: Mapping[str, str]) -> dict[str, str]:
    """What a file's metadata say of the version that it holds; `columns` are the digests of its columns."""
    record = canonical(_record(_Stored(partition, columns))).decode()
    return {_RECORD: record, _SEAL: sha256(record.encode())}


def _described(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


def _record(stored: _Stored) -> dict[str, Any]:
    fields = asdict(stored.partition)
    return fields | {
        "month": str(stored.partition.month),
        "recorded_at": stored.partition.recorded_at.isoformat(),
        "columns": dict(stored.columns),
    }


def _unpacked(fields: dict[str, Any]) -> _Stored:
    columns = fields.pop("columns")
    times = {"month": Month.parse(fields["month"]), "recorded_at": datetime.fromisoformat(fields["recorded_at"])}
    return _Stored(PartitionVersion(**fields | times), columns)


def _damaged(path: Location, how: str) -> Integrity:
    return Integrity(f"{path} is damaged: {how}", hint="restore the file from its backup, or remove it and run the ingest again")


def _late(newest: PartitionVersion, recorded_at: datetime) -> Conflict:
    return Conflict(
        f"{newest.table} {newest.month} was recorded at {newest.recorded_at}, after {recorded_at}",
        hint="what was known at an instant must not change afterwards; check the clock, or replay in a home of its own",
    )
