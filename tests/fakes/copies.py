"""Local copies in memory."""

from models.errors import NotFound, PlatformError
from serving.release.copies import Copy
from tests.fakes.channel import FakeChannel


class FakeCopies:
    def __init__(self) -> None:
        self.kept: dict[str, Copy] = {}
        self.down: PlatformError | None = None

    def models(self) -> list[str]:
        return sorted(self.kept)

    def reader(self, model: str) -> FakeChannel:
        if model not in self.kept:
            raise NotFound(f"there is no local copy of {model}")
        copy, channel = self.kept[model], FakeChannel()
        for number, pointer in copy.pointers.items():
            channel.add_pointer(model, number, pointer)
        for number, stop in copy.stops.items():
            channel.add_stop(model, number, stop)
        for digest, files in copy.bundles.items():
            channel.add_bundle(digest, files)
        for digest, approvals in copy.approvals.items():
            for approval in approvals:
                channel.add_approval(digest, approval)
        return channel

    def keep(self, copy: Copy) -> None:
        if self.down:
            raise self.down
        self.kept[copy.model] = copy

    def forget(self, model: str) -> None:
        if self.down:
            raise self.down
        self.kept.pop(model, None)
