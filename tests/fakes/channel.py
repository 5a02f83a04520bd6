"""The release channel in memory."""

from collections.abc import Mapping
from threading import Lock

from models.channel import Numbered
from models.errors import Conflict, NotFound
from models.governance.signing import Signed


class FakeChannel:
    """`unexpected` is raised where models are listed: an error that no channel should raise."""

    def __init__(self) -> None:
        self.unexpected: Exception | None = None
        self._bundles: dict[str, dict[str, bytes]] = {}
        self._approvals: dict[str, dict[str, Signed]] = {}
        self._stops: dict[str, dict[int, Signed]] = {}
        self._rollouts: dict[str, dict[int, Signed]] = {}
        self._pointers: dict[str, dict[int, Signed]] = {}
        self._lock = Lock()

    def models(self) -> list[str]:
        if self.unexpected:
            raise self.unexpected
        return sorted(self._pointers)

    def pointers(self, model: str) -> int:
        return max(self._pointers.get(model, {}), default=0)

    def pointer(self, model: str, sequence: int) -> Signed:
        try:
            return self._pointers[model][sequence]
        except KeyError:
            raise NotFound(f"the channel has no pointer {sequence} of {model}") from None

    def add_pointer(self, model: str, sequence: int, pointer: Signed) -> None:
        with self._lock:
            if sequence in self._pointers.get(model, {}):
                raise Conflict(f"pointer {sequence} of {model} was published by somebody else")
            self._pointers.setdefault(model, {})[sequence] = pointer

    def bundle(self, digest: str) -> Mapping[str, bytes]:
        try:
            return dict(self._bundles[digest])
        except KeyError:
            raise NotFound(f"the channel has no bundle {digest[:12]}") from None

    def bundles(self) -> list[str]:
        return sorted(self._bundles)

    def add_bundle(self, digest: str, files: Mapping[str, bytes]) -> None:
        self._bundles.setdefault(digest, dict(files))

    def approvals(self, bundle: str) -> tuple[Signed, ...]:
        return tuple(signed for _, signed in sorted(self._approvals.get(bundle, {}).items()))

    def add_approval(self, bundle: str, approval: Signed) -> None:
        self._approvals.setdefault(bundle, {})[approval.signer] = approval

    def strays(self) -> list[str]:
        return []

    def remove_approval(self, bundle: str) -> None:
        """What no program may do, and a person with access to the storage can."""
        del self._approvals[bundle]

    def remove_bundle(self, digest: str) -> None:
        """The same of a bundle."""
        del self._bundles[digest]

    def numbers(self, kind: Numbered, model: str) -> list[int]:
        kept = {"pointers": self._pointers, "stops": self._stops, "rollouts": self._rollouts}[kind]
        return sorted(kept.get(model, {}))

    def stops(self, model: str) -> int:
        return max(self._stops.get(model, {}), default=0)

    def stop(self, model: str, sequence: int) -> Signed:
        try:
            return self._stops[model][sequence]
        except KeyError:
            raise NotFound(f"the channel has no stop {sequence} of {model}") from None

    def add_stop(self, model: str, sequence: int, stop: Signed) -> None:
        with self._lock:
            if sequence in self._stops.get(model, {}):
                raise Conflict(f"stop {sequence} of {model} was published by somebody else")
            self._stops.setdefault(model, {})[sequence] = stop

    def rollouts(self, model: str) -> int:
        return max(self._rollouts.get(model, {}), default=0)

    def rollout(self, model: str, number: int) -> Signed:
        try:
            return self._rollouts[model][number]
        except KeyError:
            raise NotFound(f"the channel has no roll-out document {number} of {model}") from None

    def add_rollout(self, model: str, number: int, document: Signed) -> None:
        with self._lock:
            if number in self._rollouts.get(model, {}):
                raise Conflict(f"roll-out document {number} of {model} was published by somebody else")
            self._rollouts.setdefault(model, {})[number] = document

    def remove_rollout(self, model: str, number: int) -> None:
        """The same of a document about a roll-out."""
        del self._rollouts[model][number]
