"""The release channel in a folder.

bundles/<digest>/<part>           approvals/<bundle digest>.json
pointers/<model>/00000001.json    one file per pointer, each name can be taken once
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from models.adapters import durable
from models.errors import Conflict, NotFound, Unavailable
from models.governance.signing import Signed

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MODEL = re.compile(r"[a-z][a-z0-9_]{0,63}")
_POINTER = re.compile(r"\d{8}\.json")


class FolderChannel:
    """A local or shared folder on one file system; links and renames in it must be atomic, as POSIX says."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def models(self) -> list[str]:
        with self._translated():
            folder = self._root / "pointers"
            return sorted(path.name for path in folder.iterdir() if _MODEL.fullmatch(path.name)) if folder.is_dir() else []

    def pointers(self, model: str) -> int:
        with self._translated():
            folder = self._pointers(model)
            names = (path.name for path in folder.iterdir()) if folder.is_dir() else iter(())
            return max((int(name.removesuffix(".json")) for name in names if _POINTER.fullmatch(name)), default=0)

    def pointer(self, model: str, sequence: int) -> Signed:
        return Signed.from_bytes(self._read(self._pointer(model, sequence), f"pointer {sequence} of {model}"))

    def add_pointer(self, model: str, sequence: int, pointer: Signed) -> None:
        with self._translated():
            try:
                durable.create(self._pointer(model, sequence), pointer.to_bytes())
            except FileExistsError as error:
                raise Conflict(
                    f"pointer {sequence} of {model} was published by somebody else",
                    hint="read the channel again and decide against the new champion",
                ) from error

    def bundle(self, digest: str) -> Mapping[str, bytes]:
        folder = self._bundle(digest)
        with self._translated():
            if not folder.is_dir():
                raise NotFound(f"the channel has no bundle {digest[:12]}", hint="promote it again from the registry")
            return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

    def add_bundle(self, digest: str, files: Mapping[str, bytes]) -> None:
        folder = self._bundle(digest)
        with self._translated():
            if folder.is_dir():
                return
            waiting = durable.waiting_name(folder)
            waiting.mkdir(parents=True)
            for name, data in files.items():
                durable.write_synced(waiting / name, data)
            durable.sync_folder(waiting)
            try:
                waiting.rename(folder)
            except OSError:
                shutil.rmtree(waiting)
                if not folder.is_dir():
                    raise
            durable.sync_folder(folder.parent)

    def approval(self, bundle: str) -> Signed:
        return Signed.from_bytes(self._read(self._approval(bundle), f"approval of bundle {bundle[:12]}"))

    def add_approval(self, bundle: str, approval: Signed) -> None:
        with self._translated():
            durable.replace(self._approval(bundle), approval.to_bytes())

    def _bundle(self, digest: str) -> Path:
        return self._root / "bundles" / _named(_DIGEST, digest, "bundle digest")

    def _approval(self, bundle: str) -> Path:
        return self._root / "approvals" / f"{_named(_DIGEST, bundle, 'bundle digest')}.json"

    def _pointers(self, model: str) -> Path:
        return self._root / "pointers" / _named(_MODEL, model, "model name")

    def _pointer(self, model: str, sequence: int) -> Path:
        return self._pointers(model) / f"{sequence:08d}.json"

    def _read(self, path: Path, what: str) -> bytes:
        with self._translated():
            try:
                return path.read_bytes()
            except FileNotFoundError as error:
                raise NotFound(f"the channel has no {what}", hint=f"looked for {path}") from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"the release channel {self._root} does not answer: {error.strerror}",
                hint="check that STEWARD_CHANNEL names a folder that this process may read and write",
            ) from error


def _named(rule: re.Pattern[str], name: str, what: str) -> str:
    """Names become paths: nothing that could leave the folder gets through."""
    if not rule.fullmatch(name):
        raise NotFound(f"{name!r} is not a {what}", hint=f"a {what} matches {rule.pattern}")
    return name
