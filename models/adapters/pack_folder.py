"""Evidence packs in a folder: `<root>/<model>/<bundle>/<pack>/`. Which is the newest, the ledger says.

A pack is never written over: an approval may have signed it.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from models.adapters import durable


class PackFolder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def store(self, model: str, bundle: str, digest: str, files: Mapping[str, bytes]) -> Path:
        """Write it whole or not at all; the same pack again changes nothing."""
        folder = self._folder(model, bundle, digest)
        if self.files(model, bundle, digest) != dict(files):
            self._write(folder, files)
        return folder

    def files(self, model: str, bundle: str, digest: str) -> dict[str, bytes]:
        """Every file by its name below the folder, as it is now. Empty if there is none."""
        folder = self._folder(model, bundle, digest)
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}

    def stored(self) -> Iterator[tuple[str, str, dict[str, bytes]]]:
        """Every pack that is kept: where, the beginning of its digest as the folder is named, and its files."""
        for folder in sorted(self._root.glob("*/*/*")):
            if folder.is_dir() and not folder.name.startswith("."):
                model, bundle, digest = folder.relative_to(self._root).parts
                yield str(folder), digest, self.files(model, bundle, digest)

    def place(self, model: str, bundle: str, digest: str) -> str:
        return str(self._folder(model, bundle, digest))

    def _folder(self, model: str, bundle: str, digest: str) -> Path:
        return self._root / model / bundle[:12] / digest[:12]

    def _write(self, folder: Path, files: Mapping[str, bytes]) -> None:
        waiting = durable.waiting_name(folder)
        for name, data in files.items():
            path = waiting / name
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.write_synced(path, data)
        durable.sync_folder(waiting)
        if folder.exists():  # cut off or touched: what was sealed is put back
            shutil.rmtree(folder)
        waiting.rename(folder)
        durable.sync_folder(folder.parent)
