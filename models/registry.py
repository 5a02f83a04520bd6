"""The model registry as the platform needs it: a record for people, never the source of what is served."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

ALIASES = ("challenger", "champion", "previous")


@dataclass(frozen=True)
class RunRecord:
    """Everything of one training run that is worth keeping: values, and files by their name inside the run."""

    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    files: Mapping[str, Path] = field(default_factory=dict)  # e.g. "plots/roc.png"


@dataclass(frozen=True)
class ModelVersion:
    model: str
    version: int
    bundle_digest: str
    run_id: str
    aliases: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


class ModelRegistry(Protocol):
    def register(self, model: str, run: RunRecord, bundle: Mapping[str, bytes], bundle_digest: str) -> ModelVersion:
        """Log the run with its sealed bundle as a loadable model, and register a version tagged with the digest.

        Idempotent by digest: a bundle registered before returns its version.
        """
        ...

    def versions(self, model: str) -> list[ModelVersion]:
        """Newest first; empty for an unknown model."""
        ...

    def bundle(self, version: ModelVersion) -> Mapping[str, bytes]:
        """The files of the bundle. Raises `NotFound` or `Unavailable`."""
        ...

    def mirror(self, model: str, aliases: Mapping[str, str | None]) -> None:
        """Point each alias at the version that has the digest given; None, or a digest not registered here, removes it."""
        ...
