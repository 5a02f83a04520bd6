"""Evidence as a folder by bundle: `<root>/<model>/<digest>/`."""

from collections.abc import Mapping
from pathlib import Path

from models.adapters import durable


class EvidenceFolder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def store(self, model: str, bundle: str, files: Mapping[str, bytes]) -> dict[str, Path]:
        """Write every file and return where; the same bundle again replaces them one by one."""
        folder = self._root / model / bundle[:12]
        paths = {name: folder / name for name in files}
        for name, path in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.replace(path, files[name])
        return paths
