"""Local copies of releases in a folder: `<model>/00000007/`, each a release channel of its own. The highest number counts.

A copy is written beside the others and gets its name when it is whole; then the older ones go. So whoever is killed leaves
the copy before or the new one, and whoever comes next tidies up.
"""

import fcntl
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.adapters import durable
from models.adapters.folder_channel import FolderChannel
from models.errors import NotFound, PlatformError, Unavailable
from serving.release.copies import Copy

_MODEL = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NUMBER = re.compile(r"\d{8}")


class CopyFolder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def models(self) -> list[str]:
        return [folder.name for folder in _in(self._root) if _MODEL.fullmatch(folder.name) and _numbered(folder)]

    def reader(self, model: str) -> FolderChannel:
        if numbered := _numbered(self._root / model):
            return FolderChannel(numbered[-1])
        raise NotFound(f"there is no local copy of {model}", hint=f"looked in {self._root}")

    def keep(self, copy: Copy) -> None:
        folder = self._root / copy.model
        with self._alone(folder):
            before = _numbered(folder)
            if before and _holds(FolderChannel(before[-1]), copy):
                newest = before[-1]
            else:
                newest = _written(folder, int(before[-1].name) + 1 if before else 1, copy)
            for other in set(_in(folder)) - {newest}:
                shutil.rmtree(other)

    def forget(self, model: str) -> None:
        folder = self._root / model
        if not _numbered(folder):
            return
        with self._alone(folder):
            for each in _in(folder):  # the oldest first, hidden ones before: what is half gone is never the newest
                shutil.rmtree(each)

    @contextmanager
    def _alone(self, folder: Path) -> Iterator[None]:
        """One process at a time; a killed one lets go."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (self._root / f".{folder.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise _cannot_be_written(folder, error.strerror or str(error)) from error
        except Unavailable as error:
            raise _cannot_be_written(folder, error.problem) from error


def _written(folder: Path, number: int, copy: Copy) -> Path:
    whole = folder / f"{number:08d}"
    waiting = durable.waiting_name(whole)
    channel = FolderChannel(waiting)
    for number, pointer in copy.pointers.items():
        channel.add_pointer(copy.model, number, pointer)
    for number, stop in copy.stops.items():
        channel.add_stop(copy.model, number, stop)
    for digest, files in copy.bundles.items():
        channel.add_bundle(digest, files)
    for digest, approvals in copy.approvals.items():
        for approval in approvals:
            channel.add_approval(digest, approval)
    for each in (waiting, *(path for path in waiting.rglob("*") if path.is_dir())):
        durable.sync_folder(each)
    waiting.rename(whole)
    durable.sync_folder(folder)
    return whole


def _holds(channel: FolderChannel, copy: Copy) -> bool:
    """Whether every byte is there already and still right."""
    try:
        return (
            channel.pointers(copy.model) == max(copy.pointers)
            and channel.stops(copy.model) == max(copy.stops, default=0)
            and all(channel.pointer(copy.model, number) == signed for number, signed in copy.pointers.items())
            and all(channel.stop(copy.model, number) == signed for number, signed in copy.stops.items())
            and all(channel.approvals(digest) == approvals for digest, approvals in copy.approvals.items())
            and all(channel.bundle(digest) == files for digest, files in copy.bundles.items())
        )
    except PlatformError:
        return False


def _numbered(folder: Path) -> list[Path]:
    return [path for path in _in(folder) if _NUMBER.fullmatch(path.name)]


def _in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []  # nothing that can be read is no copy


def _cannot_be_written(folder: Path, why: str) -> Unavailable:
    return Unavailable(
        f"no local copy can be kept in {folder}: {why}",
        hint="the model answers on; a start while the release channel is away would find no copy, or the one before",
    )
