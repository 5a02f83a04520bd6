"""The release channel in a folder.

bundles/<digest>/<part>           approvals/<bundle digest>/<signer>.json
pointers/<model>/00000001.json    one file per pointer, each name can be taken once
stops/<model>/00000001.json       the same for stop documents
rollouts/<model>/00000001.json    and for those of roll-outs
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from models.adapters import durable
from models.channel import LAST_NUMBER, Numbered
from models.errors import Conflict, Integrity, NotApproved, NotFound, Unavailable
from models.governance.signing import Signed

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MODEL = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NUMBER = re.compile(r"\d{8}\.json")
_SIGNER = re.compile(r"[a-z][a-z0-9-]{0,63}")
_APPROVAL = re.compile(rf"{_SIGNER.pattern}\.json")
_LARGEST_PART = 32 * 2**20
_LARGEST_DOCUMENT = 2**20


class FolderChannel:
    """A local or shared folder on one file system; links and renames in it must be atomic, as POSIX says."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def models(self) -> list[str]:
        with self._translated():
            folder = self._root / "pointers"
            return sorted(path.name for path in folder.iterdir() if _MODEL.fullmatch(path.name)) if folder.is_dir() else []

    def pointers(self, model: str) -> int:
        return self._newest("pointers", model)

    def pointer(self, model: str, sequence: int) -> Signed:
        return self._signed(self._numbered("pointers", model) / _file(sequence), f"pointer {sequence} of {model}")

    def add_pointer(self, model: str, sequence: int, pointer: Signed) -> None:
        self._create(self._numbered("pointers", model) / _file(sequence), pointer, f"pointer {sequence} of {model}")

    def stops(self, model: str) -> int:
        return self._newest("stops", model)

    def stop(self, model: str, sequence: int) -> Signed:
        return self._signed(self._numbered("stops", model) / _file(sequence), f"stop {sequence} of {model}")

    def add_stop(self, model: str, sequence: int, stop: Signed) -> None:
        self._create(self._numbered("stops", model) / _file(sequence), stop, f"stop {sequence} of {model}")

    def rollouts(self, model: str) -> int:
        return self._newest("rollouts", model)

    def rollout(self, model: str, number: int) -> Signed:
        return self._signed(self._numbered("rollouts", model) / _file(number), f"roll-out document {number} of {model}")

    def add_rollout(self, model: str, number: int, document: Signed) -> None:
        self._create(self._numbered("rollouts", model) / _file(number), document, f"roll-out document {number} of {model}")

    def bundle(self, digest: str) -> Mapping[str, bytes]:
        folder = self._bundle(digest)
        with self._translated():
            if not folder.is_dir():
                raise NotFound(
                    f"the channel has no bundle {digest[:12]}",
                    hint="put its folder back from a copy of the channel; the registry has the same files",
                )
            return {path.name: _bytes(path, _LARGEST_PART) for path in sorted(folder.iterdir())}

    def bundles(self) -> list[str]:
        return [path.name for path in self._in(self._root / "bundles") if _DIGEST.fullmatch(path.name)]

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

    def approvals(self, bundle: str) -> tuple[Signed, ...]:
        found = (self._approval(path) for path in self._in(self._approvals(bundle)))
        return tuple(signed for signed in found if signed)

    def strays(self) -> list[str]:
        folders = self._in(self._root / "approvals")
        files = [path for folder in folders for path in (self._in(folder) if folder.is_dir() else [folder])]
        return [str(path) for path in files if self._approval(path) is None]

    def add_approval(self, bundle: str, approval: Signed) -> None:
        path = self._approvals(bundle) / f"{_named(_SIGNER, approval.signer, 'name of an approver')}.json"
        with self._translated():
            durable.replace(path, approval.to_bytes())

    def _in(self, folder: Path) -> list[Path]:
        """What lies in a folder, sorted by name; a file that is still being written is hidden."""
        with self._translated():
            found = sorted(folder.iterdir()) if folder.is_dir() else []
        return [path for path in found if not path.name.startswith(".")]

    def _approval(self, path: Path) -> Signed | None:
        """None for what is no approval: who can write here must not be able to void what people signed."""
        if not _APPROVAL.fullmatch(path.name) or not path.is_file():
            return None
        try:
            return self._signed(path, "approval")
        except (Integrity, NotApproved):
            return None

    def _bundle(self, digest: str) -> Path:
        return self._root / "bundles" / _named(_DIGEST, digest, "bundle digest")

    def _approvals(self, bundle: str) -> Path:
        return self._root / "approvals" / _named(_DIGEST, bundle, "bundle digest")

    def _numbered(self, kind: str, model: str) -> Path:
        return self._root / kind / _named(_MODEL, model, "model name")

    def numbers(self, kind: Numbered, model: str) -> list[int]:
        folder = self._numbered(kind, model)
        with self._translated():
            names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return sorted(int(name.removesuffix(".json")) for name in names if _NUMBER.fullmatch(name))

    def _newest(self, kind: Numbered, model: str) -> int:
        return max(self.numbers(kind, model), default=0)

    def _signed(self, path: Path, what: str) -> Signed:
        with self._translated():
            try:
                return Signed.from_bytes(_bytes(path, _LARGEST_DOCUMENT), str(path))
            except FileNotFoundError as error:
                raise NotFound(f"the channel has no {what}", hint=f"looked for {path}") from error

    def _create(self, path: Path, signed: Signed, what: str) -> None:
        with self._translated():
            try:
                durable.create(path, signed.to_bytes())
            except FileExistsError as error:
                raise Conflict(
                    f"{what} was published by somebody else",
                    hint="read the channel again and decide against what is in force now",
                ) from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"the release channel {self._root} does not answer: {error.strerror}",
                hint="check that STEWARD_CHANNEL names a folder that this process may read and write",
            ) from error


def _bytes(path: Path, most: int) -> bytes:
    """Who can write to the channel must not be able to fill the memory of those who read it."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Integrity(f"{path} has more than {most} bytes", hint="it was not written by this platform; find out who did")
    return data


def _named(rule: re.Pattern[str], name: str, what: str) -> str:
    """Names become paths: nothing that could leave the folder gets through."""
    if not rule.fullmatch(name):
        raise NotFound(f"{name!r} is not a {what}", hint=f"a {what} matches {rule.pattern}")
    return name


def _file(sequence: int) -> str:
    if sequence > LAST_NUMBER:
        raise Integrity(
            f"the channel has a document numbered {sequence - 1}, and no number after it",
            hint="nobody publishes so often: find out who wrote it, and take it away",
        )
    return f"{sequence:08d}.json"
