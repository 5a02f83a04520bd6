"""Where the lake's files lie: in a folder, or in an S3 bucket. What is stored is never overwritten in either.

A folder's file is committed by an exclusive link, an object by a conditional write (`If-None-Match: *`). Arrow's client does not
know these, so boto3 does that. A store that ignores the condition must not hold a lake: the first write of a process tries it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import pyarrow as pa
from pyarrow import fs

from models.adapters import durable
from models.adapters.places import Place
from models.errors import Misconfigured, Unavailable

SUFFIX = ".parquet"
At = TypeVar("At", bound="Path | Address")


@dataclass(frozen=True, order=True)
class Address:
    """An object's: `s3://bucket/prefix/snapshots/month=2005-07/v0001.parquet`."""

    root: str
    name: str

    def __str__(self) -> str:
        return f"{self.root}/{self.name}"


class Files(Protocol, Generic[At]):
    def at(self, name: str) -> At: ...

    def name(self, where: At) -> str:
        """Its path below the root."""
        ...

    def folders(self, table: str) -> list[str]:
        """The names of a table's folders, in order."""
        ...

    def files(self, folder: str) -> list[At]:
        """A folder's Parquet files, in order; none if there is no such folder."""
        ...

    def every(self) -> list[At]:
        """Every table's files, in order."""
        ...

    def opened(self, where: At) -> Any:
        """For reading, as a context. Raises `FileNotFoundError`, `OSError`."""
        ...

    def create(self, where: At, data: bytes) -> None:
        """All or nothing, and durable. Raises `FileExistsError` if something is there, `OSError` if it cannot be."""
        ...

    def remove(self, where: At) -> None:
        """Nothing if it is gone. Raises `OSError`."""
        ...


class Folder:
    """`Files[Path]`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def at(self, name: str) -> Path:
        return self._root / name

    def name(self, where: Path) -> str:
        return where.relative_to(self._root).as_posix()

    def folders(self, table: str) -> list[str]:
        return sorted(path.name for path in (self._root / table).glob("month=*"))

    def files(self, folder: str) -> list[Path]:
        return sorted((self._root / folder).glob(f"v*{SUFFIX}"))

    def every(self) -> list[Path]:
        return sorted(self._root.glob(f"*/month=*/v*{SUFFIX}"))

    @contextmanager
    def opened(self, where: Path) -> Iterator[Path]:
        yield where  # Arrow maps it into memory itself

    def create(self, where: Path, data: bytes) -> None:
        for leftover in where.parent.glob(f".v*{SUFFIX}.*"):
            leftover.unlink(missing_ok=True)  # of a killed writer
        durable.create(where, data)

    def remove(self, where: Path) -> None:
        where.unlink(missing_ok=True)
        durable.sync_folder(where.parent)


class Bucket:
    """`Files[Address]`. Asked with the standard AWS variables, as every place is; `client` takes the place of boto3's own."""

    def __init__(self, root: str, client: Any = None) -> None:
        self._text = root.rstrip("/")
        self._place = Place.at(self._text)
        self._given, self._tried = client, False

    def at(self, name: str) -> Address:
        return Address(self._text, name)

    def name(self, where: Address) -> str:
        return where.name

    def folders(self, table: str) -> list[str]:
        below = [one.base_name for one in self._listed(table) if one.type is fs.FileType.Directory]
        return sorted(name for name in below if name.startswith("month="))

    def files(self, folder: str) -> list[Address]:
        return self._versions(self._listed(folder))

    def every(self) -> list[Address]:
        return self._versions(self._listed("", recursive=True))

    @contextmanager
    def opened(self, where: Address) -> Iterator[Any]:
        with self._place.system.open_input_file(self._place.path(where.name)) as file:
            yield file

    def create(self, where: Address, data: bytes) -> None:
        """Raises `Misconfigured`, too, for a store that would write over what is there."""
        self._put(where, data)
        if not self._tried:
            try:
                self._put(where, data)  # the same once more: harmless where it is not refused
            except FileExistsError:
                self._tried = True
            else:
                raise Misconfigured(
                    f"the store of {self._text} ignores If-None-Match: two writers could overwrite each other",
                    hint="use a store that knows conditional writes, or a folder",
                )

    def _put(self, where: Address, data: bytes) -> None:
        bucket, _, key = self._place.path(where.name).partition("/")
        try:
            self._client.put_object(Bucket=bucket, Key=key, Body=data, IfNoneMatch="*")
        except self._client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412):
                raise FileExistsError(f"{where} is there") from error
            raise OSError(f"{where}: {error}") from error

    def remove(self, where: Address) -> None:
        if self._place.has(where.name):
            self._place.system.delete_file(self._place.path(where.name))

    @cached_property
    def _client(self) -> Any:
        if self._given is not None:
            return self._given
        try:
            import boto3
        except ImportError as error:
            raise Misconfigured(f"boto3 is not installed, which {self._text} needs", hint="install steward[stores]") from error
        session = boto3.session.Session()  # the shared one keeps the keys that it first saw
        return session.client("s3", region_name=os.environ.get("AWS_REGION") or self._place.system.region)

    def _listed(self, folder: str, *, recursive: bool = False) -> list[fs.FileInfo]:
        where = self._place.path(folder)
        try:
            return list(self._place.system.get_file_info(fs.FileSelector(where, recursive=recursive, allow_not_found=True)))
        except (pa.ArrowException, OSError) as error:
            raise Unavailable(
                f"{self._text} cannot be listed: {error}", hint="see to the store and its keys, then go on"
            ) from error

    def _versions(self, found: list[fs.FileInfo]) -> list[Address]:
        names = (one.path.removeprefix(self._place.root).lstrip("/") for one in found if one.type is fs.FileType.File)
        return sorted(self.at(name) for name in names if name.endswith(SUFFIX) and "/v" in name)
