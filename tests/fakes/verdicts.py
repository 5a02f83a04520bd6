"""A store of verdicts on roll-outs in memory."""

from monitoring.rollout.documents import VerdictDocument


class FakeVerdictStore:
    def __init__(self) -> None:
        self._kept: list[VerdictDocument] = []
        self.edited: set[str] = set()  # digests of what somebody wrote in

    def add(self, document: VerdictDocument) -> str:
        if document not in self._kept:
            self._kept.append(document)
        return document.digest

    def models(self) -> list[str]:
        return sorted({document.model for document in self._kept})

    def rollouts(self, model: str) -> list[int]:
        return sorted({document.number for document in self._kept if document.model == model}, reverse=True)

    def verdicts(self, model: str, number: int) -> list[VerdictDocument]:
        found = [document for document in self._kept if (document.model, document.number) == (model, number)]
        return sorted(found, key=lambda document: document.recorded_at, reverse=True)

    def found(self, model: str, number: int) -> list[tuple[str, VerdictDocument | None]]:
        kept = [(f"verdict {found.digest[:12]}", found) for found in self.verdicts(model, number)]
        return [(place, None if found.digest in self.edited else found) for place, found in kept]

    def remove(self, document: VerdictDocument) -> None:
        self._kept.remove(document)
