"""Evidence packs in memory."""

from collections.abc import Mapping

from models.errors import NotFound


class FakePacks:
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str, str], Mapping[str, bytes]] = {}

    def store(self, model: str, bundle: str, digest: str, files: Mapping[str, bytes]) -> None:
        self.stored.pop((model, bundle, digest), None)
        self.stored[model, bundle, digest] = dict(files)

    def newest(self, model: str, bundle: str) -> str:
        found = [digest for ours, theirs, digest in self.stored if (ours, theirs) == (model, bundle)]
        if not found:
            raise NotFound(f"bundle {bundle[:12]} of {model} has no evidence pack", hint="build it: make evidence")
        return found[-1]

    def files(self, model: str, bundle: str, digest: str) -> Mapping[str, bytes]:
        return self.stored.get((model, bundle, digest), {})
