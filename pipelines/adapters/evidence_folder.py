"""Evidence as a folder by bundle: `<root>/<model>/<digest>/`."""

from collections.abc import Mapping
from pathlib import Path

from models.adapters import durable


class EvidenceFolder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def store(self, model: str, bundle: str, files: Mapping[str, bytes]) -> dict[str, Path]:
        """Write every file and return where; the same bundle again replaces them one by one, and what is no part any more goes."""
        folder = self._root / model / bundle[:12]
        paths = {name: folder / name for name in files}
        for name, path in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.replace(path, files[name])
        for name in self.files(model, bundle).keys() - files.keys():
            (folder / name).unlink()
        return paths

    def files(self, model: str, bundle: str) -> dict[str, bytes]:
        """Every file by its name below the folder, as it is now. Empty if there is none."""
        folder = self._root / model / bundle[:12]
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}

    def place(self, model: str, bundle: str) -> str:
        return str(self._root / model / bundle[:12])
