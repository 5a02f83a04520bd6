"""The model registry in memory."""

from collections.abc import Mapping
from dataclasses import replace

from models.errors import NotFound
from models.registry import ModelVersion, RunRecord


class FakeRegistry:
    def __init__(self) -> None:
        self.runs: list[RunRecord] = []
        self._versions: dict[str, list[ModelVersion]] = {}
        self._bundles: dict[tuple[str, int], dict[str, bytes]] = {}
        self._aliases: dict[str, dict[str, int]] = {}

    def register(self, model: str, run: RunRecord, bundle: Mapping[str, bytes], bundle_digest: str) -> ModelVersion:
        for version in self.versions(model):
            if version.bundle_digest == bundle_digest:
                return version
        self.runs.append(run)
        known = self._versions.setdefault(model, [])
        version = ModelVersion(model, len(known) + 1, bundle_digest, f"run-{len(self.runs)}", tags=dict(run.tags))
        known.append(version)
        self._bundles[model, version.version] = dict(bundle)
        return version

    def versions(self, model: str) -> list[ModelVersion]:
        aliases = self._aliases.get(model, {})
        return [
            replace(version, aliases=tuple(sorted(alias for alias, number in aliases.items() if number == version.version)))
            for version in reversed(self._versions.get(model, []))
        ]

    def bundle(self, version: ModelVersion) -> Mapping[str, bytes]:
        try:
            return dict(self._bundles[version.model, version.version])
        except KeyError:
            raise NotFound(f"{version.model} has no version {version.version}") from None

    def mirror(self, model: str, aliases: Mapping[str, str | None]) -> None:
        numbers = {version.bundle_digest: version.version for version in self.versions(model)}
        current = self._aliases.setdefault(model, {})
        for alias, digest in aliases.items():
            current.pop(alias, None)
            if digest in numbers:
                current[alias] = numbers[digest]
