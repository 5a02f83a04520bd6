"""Evidence packs in memory."""

from collections.abc import Mapping


class FakePacks:
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str, str], Mapping[str, bytes]] = {}

    def store(self, model: str, bundle: str, digest: str, files: Mapping[str, bytes]) -> None:
        self.stored[model, bundle, digest] = dict(files)

    def files(self, model: str, bundle: str, digest: str) -> Mapping[str, bytes]:
        return self.stored.get((model, bundle, digest), {})
