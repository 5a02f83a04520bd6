"""Evidence as a folder by bundle: `<root>/<model>/<digest>/`. Evidence packs lie in `packs` beside the root."""

from collections.abc import Mapping
from pathlib import Path

from models.adapters import durable
from models.adapters.pack_folder import PackFolder


class EvidenceFolder:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._packs = PackFolder(root.with_name("packs"))

    def store(self, model: str, bundle: str, files: Mapping[str, bytes]) -> dict[str, Path]:
        """Write every file and return where; the same bundle again replaces them one by one; what is no part any more goes."""
        folder = self._root / model / bundle[:12]
        paths = {name: folder / name for name in files}
        for name, path in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.replace(path, files[name])
        for name in self.files(model, bundle).keys() - files.keys():
            (folder / name).unlink()
        return paths

    def files(self, model: str, bundle: str, evidence: str = "") -> dict[str, bytes]:
        """Every file by its name below the folder, as it is now: of the pack with this digest, else what training left."""
        if evidence and (packed := self._packs.files(model, bundle, evidence)):
            return packed
        folder = self._root / model / bundle[:12]
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}

    def place(self, model: str, bundle: str, evidence: str = "") -> str:
        if evidence and self._packs.files(model, bundle, evidence):
            return self._packs.place(model, bundle, evidence)
        return str(self._root / model / bundle[:12])
