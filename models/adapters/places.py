"""Folders of Parquet files by path: on a disk or in an S3 bucket (`s3://bucket/prefix`), read and written in the same way.

S3 is asked through Arrow's own client, with the standard AWS variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION,
AWS_ENDPOINT_URL). A file appears whole or not at all: on a disk by a rename, in S3 because an object does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from pyarrow import fs

from models.adapters import durable
from models.errors import Integrity, NotFound, PlatformError, Unavailable

SUFFIX = ".parquet"


@dataclass(frozen=True)
class Stored:
    """A file of a place: its path below it, its size in bytes, and when it was written, in nanoseconds since 1970."""

    name: str
    size: int
    written: int


@dataclass(frozen=True)
class Place:
    """A folder, or one file; `text` is how it was named."""

    text: str
    system: fs.FileSystem
    root: str

    @classmethod
    def at(cls, text: str | Path) -> Self:
        """Raises `Unavailable` for an address that no client here speaks."""
        text = str(text)
        if "://" not in text:
            return cls(text, fs.LocalFileSystem(), str(Path(text).absolute()))
        try:
            system, root = fs.FileSystem.from_uri(text)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Unavailable(f"{text} cannot be reached: {error}", hint="give a folder, or s3://bucket/prefix") from error
        return cls(text, system, root)

    @property
    def local(self) -> bool:
        return isinstance(self.system, fs.LocalFileSystem)

    def files(self) -> list[Stored]:
        """Every Parquet file that does not hide (.name, _name), by name. Raises `NotFound` if there is none."""
        with self.told():
            info = self.system.get_file_info(self.root)
            found = [info] if info.type is fs.FileType.File else self._below()
        named = [(one.path[len(self.root) :].lstrip("/") if one is not info else "", one) for one in found]
        kept = [
            Stored(name, one.size, one.mtime_ns or 0)
            for name, one in sorted(named, key=lambda pair: pair[0])
            if (name or one.path).endswith(SUFFIX) and not any(part[0] in "._" for part in name.split("/") if part)
        ]
        if not kept:
            raise NotFound(f"there is no Parquet file at {self.text}", hint="is the path right?")
        return kept

    def _below(self) -> list[fs.FileInfo]:
        every = self.system.get_file_info(fs.FileSelector(self.root, recursive=True, allow_not_found=True))
        return [one for one in every if one.type is fs.FileType.File]

    @contextmanager
    def opened(self, name: str) -> Iterator[Any]:
        """A file for reading. Raises `NotFound`, `Unavailable`; `Integrity` for what cannot be read as Parquet."""
        with self.told(name), self.system.open_input_file(self.path(name)) as file:
            yield file

    def put(self, name: str, data: bytes | memoryview) -> None:
        """Write a file, whatever was there before. Durable when it returns."""
        with self.told(name):
            if self.local:
                durable.replace(Path(self.path(name)), bytes(data))
                return
            with self.system.open_output_stream(self.path(name)) as sink:
                sink.write(data)

    def has(self, name: str) -> bool:
        with self.told(name):
            return bool(self.system.get_file_info(self.path(name)).type is fs.FileType.File)

    def path(self, name: str) -> str:
        """As the file system names it."""
        return f"{self.root}/{name}" if name else self.root

    @contextmanager
    def told(self, name: str = "") -> Iterator[None]:
        """What Arrow says of a file, in the platform's errors."""
        where = f"{self.text.rstrip('/')}/{name}".rstrip("/")
        try:
            yield
        except PlatformError:
            raise
        except FileNotFoundError as error:
            raise NotFound(f"there is no {where}", hint="is the path right?") from error
        except pa.ArrowInvalid as error:
            raise Integrity(f"{where} is not readable as Parquet: {error}", hint="write the file again") from error
        except (pa.ArrowException, OSError) as error:
            raise Unavailable(f"{where} cannot be reached: {error}", hint="see to the disk or the store, then go on") from error
