"""Nothing of a release is parsed before its signatures and its digests are known to be right."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from models.bundle import MANIFEST, Bundle
from models.channel import release
from models.errors import Integrity, NotApproved
from models.governance.release import promote
from models.governance.signing import Duty, Signed
from tests.fakes.channel import FakeChannel
from tests.office import MODEL, NOON, Bank, paper_bundle, signer, trust


class Watched(bytes):
    """Bytes that note when somebody reads them as text, which is where every parser of JSON begins."""

    name: str
    parsed: list[str]

    def decode(self, *how: str, **more: str) -> str:
        self.parsed.append(self.name)
        return super().decode(*how, **more)


def watched(files: Mapping[str, bytes], parsed: list[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, data in files.items():
        each = Watched(data)
        each.name, each.parsed = name, parsed
        found[name] = each
    return found


class WatchedChannel(FakeChannel):
    """`read` counts how often a bundle's files were fetched, `parsed` names those that were parsed."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0
        self.parsed: list[str] = []
        self.replaced: dict[str, bytes] = {}
        self.pointed: Signed | None = None

    def pointer(self, model: str, sequence: int) -> Signed:
        return self.pointed or super().pointer(model, sequence)

    def bundle(self, digest: str) -> Mapping[str, bytes]:
        self.read += 1
        return watched({**super().bundle(digest), **self.replaced}, self.parsed)


@pytest.fixture
def channel() -> WatchedChannel:
    """With a champion in force."""
    channel = WatchedChannel()
    bank = Bank(channel=channel)
    bank.ask("first")
    promote(bank.office, MODEL, paper_bundle("first").digest)
    channel.read, channel.parsed[:] = 0, []
    return channel


def test_a_release_that_is_right_is_read_and_parsed(channel: WatchedChannel) -> None:
    """So that the counters below are seen to count."""
    release(channel, trust(), MODEL, now=NOON)
    assert channel.read
    assert MANIFEST in channel.parsed


def test_behind_a_pointer_with_a_wrong_signature_no_file_is_even_fetched(channel: WatchedChannel) -> None:
    signed = channel.pointer(MODEL, 1)
    mine = signer("intruder", Duty.PUBLISH).sign(signed.document)
    edited = replace(signed, document={**signed.document, "reason": "mine"})
    stolen = replace(mine, signer=signed.signer)
    for pointer in (mine, edited, stolen):
        channel.pointed = pointer
        with pytest.raises(NotApproved):
            release(channel, trust(), MODEL, now=NOON)
    assert (channel.read, channel.parsed) == (0, [])


def test_without_an_approval_no_file_is_even_fetched(channel: WatchedChannel) -> None:
    channel.remove_approval(paper_bundle("first").digest)
    with pytest.raises(NotApproved, match="nobody approved"):
        release(channel, trust(), MODEL, now=NOON)
    assert (channel.read, channel.parsed) == (0, [])


def test_a_manifest_that_is_not_the_signed_one_is_not_parsed(channel: WatchedChannel) -> None:
    for hostile in (b"{" * 100_000, paper_bundle("second").files[MANIFEST]):
        channel.replaced = {MANIFEST: hostile}
        with pytest.raises(Integrity, match="manifest's digest"):
            release(channel, trust(), MODEL, now=NOON)
    assert channel.parsed == []


@pytest.mark.parametrize("name", sorted(paper_bundle("first").files.keys() - {MANIFEST}))
def test_of_a_bundle_with_one_flipped_byte_nothing_but_the_manifest_is_parsed(channel: WatchedChannel, name: str) -> None:
    data = bytearray(paper_bundle("first").files[name])
    data[0] ^= 1
    channel.replaced = {name: bytes(data)}
    with pytest.raises(Integrity, match=f"{name} does not match its digest"):
        release(channel, trust(), MODEL, now=NOON)
    assert set(channel.parsed) == {MANIFEST}


def test_a_file_that_was_added_is_not_parsed() -> None:
    parsed: list[str] = []
    first = paper_bundle("first")
    with pytest.raises(Integrity, match="not those of its manifest"):
        Bundle.verified(watched({**first.files, "more.json": b"{}"}, parsed), first.digest)
    assert parsed == [MANIFEST]
