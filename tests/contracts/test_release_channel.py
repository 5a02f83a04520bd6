"""What every release channel must do, the fake one too."""

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from models.adapters.folder_channel import FolderChannel
from models.channel import Numbered, ReleaseChannel
from models.errors import Conflict, Integrity, NotFound, Unavailable
from models.governance.signing import Signed
from tests.fakes.channel import FakeChannel
from tests.office import MODEL, paper_bundle, pipeline, second, validator


@pytest.fixture(params=["memory", "folder"])
def channel(request: pytest.FixtureRequest, tmp_path: Path) -> ReleaseChannel:
    makers: dict[str, Callable[[], ReleaseChannel]] = {
        "memory": FakeChannel,
        "folder": lambda: FolderChannel(tmp_path / "channel"),
    }
    return makers[request.param]()


def signed(reason: str = "") -> Signed:
    return pipeline().sign({"model": MODEL, "reason": reason})


def test_a_new_channel_is_empty(channel: ReleaseChannel) -> None:
    assert channel.models() == []
    assert channel.pointers(MODEL) == 0


def test_pointers_come_back_as_they_were_signed_and_are_counted(channel: ReleaseChannel) -> None:
    channel.add_pointer(MODEL, 1, signed("first"))
    channel.add_pointer(MODEL, 2, signed("second"))

    assert channel.models() == [MODEL]
    assert channel.pointers(MODEL) == 2
    assert [channel.pointer(MODEL, number) for number in (1, 2)] == [signed("first"), signed("second")]


def test_a_pointers_number_can_be_taken_once(channel: ReleaseChannel) -> None:
    channel.add_pointer(MODEL, 1, signed("first"))

    with pytest.raises(Conflict):
        channel.add_pointer(MODEL, 1, signed("second"))
    assert channel.pointer(MODEL, 1) == signed("first")


def test_stops_are_numbered_and_a_number_can_be_taken_once(channel: ReleaseChannel) -> None:
    assert channel.stops(MODEL) == 0
    channel.add_stop(MODEL, 1, signed("first"))
    channel.add_stop(MODEL, 2, signed("second"))

    with pytest.raises(Conflict):
        channel.add_stop(MODEL, 2, signed("third"))
    assert channel.stops(MODEL) == 2
    assert [channel.stop(MODEL, number) for number in (1, 2)] == [signed("first"), signed("second")]
    assert channel.pointers(MODEL) == 0


def test_documents_about_rollouts_are_numbered_and_a_number_can_be_taken_once(channel: ReleaseChannel) -> None:
    assert channel.rollouts(MODEL) == 0
    channel.add_rollout(MODEL, 1, signed("first"))
    channel.add_rollout(MODEL, 2, signed("second"))

    with pytest.raises(Conflict):
        channel.add_rollout(MODEL, 2, signed("third"))
    with pytest.raises(NotFound):
        channel.rollout(MODEL, 3)
    assert channel.rollouts(MODEL) == 2
    assert [channel.rollout(MODEL, number) for number in (1, 2)] == [signed("first"), signed("second")]
    assert channel.stops(MODEL) == channel.pointers(MODEL) == 0


def test_the_numbers_that_are_taken_are_told_and_none_that_is_not(channel: ReleaseChannel) -> None:
    assert channel.numbers("rollouts", MODEL) == []
    channel.add_rollout(MODEL, 12, signed())
    channel.add_rollout(MODEL, 2, signed())
    channel.add_stop(MODEL, 3, signed())
    channel.add_pointer(MODEL, 4, signed())
    kinds: tuple[Numbered, ...] = ("rollouts", "stops", "pointers")
    assert [channel.numbers(kind, MODEL) for kind in kinds] == [[2, 12], [3], [4]]
    assert channel.numbers("rollouts", "another") == []


def test_behind_the_last_number_nothing_is_published_where_nobody_would_see_it(tmp_path: Path) -> None:
    folder = FolderChannel(tmp_path)
    folder.add_rollout(MODEL, 99_999_999, signed())
    with pytest.raises(Integrity, match="no number after it"):
        folder.add_rollout(MODEL, 100_000_000, signed())


def test_each_approver_has_one_approval_of_a_bundle(channel: ReleaseChannel) -> None:
    digest = paper_bundle("first").digest
    theirs = [who.sign({"bundle": digest}) for who in (validator(), second())]
    for approval in theirs:
        channel.add_approval(digest, approval)

    assert sorted(found.signer for found in channel.approvals(digest)) == ["second", "validator"]
    assert all(approval in channel.approvals(digest) for approval in theirs)
    assert channel.approvals(paper_bundle("second").digest) == ()


@pytest.mark.parametrize("name", ["../outside", "a/b", "", "..", "Ana", "a.b"])
def test_no_approvers_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        FolderChannel(tmp_path / "channel").add_approval("c" * 64, replace(signed(), signer=name))
    assert list(tmp_path.iterdir()) == []


def test_of_many_who_race_for_a_number_exactly_one_wins(channel: ReleaseChannel) -> None:
    racers, start = 8, Barrier(8)

    def race(racer: int) -> int | None:
        start.wait()
        try:
            channel.add_pointer(MODEL, 1, signed(f"racer {racer}"))
        except Conflict:
            return None
        return racer

    with ThreadPoolExecutor(racers) as pool:
        winners = [racer for racer in pool.map(race, range(racers)) if racer is not None]

    assert len(winners) == 1
    assert channel.pointer(MODEL, 1) == signed(f"racer {winners[0]}")


def test_a_bundle_comes_back_byte_by_byte(channel: ReleaseChannel) -> None:
    bundle = paper_bundle("first")
    channel.add_bundle(bundle.digest, bundle.files)

    assert channel.bundle(bundle.digest) == bundle.files


def test_adding_a_bundle_again_changes_nothing(channel: ReleaseChannel) -> None:
    bundle = paper_bundle("first")
    channel.add_bundle(bundle.digest, bundle.files)
    channel.add_bundle(bundle.digest, {"model.onnx": b"something else"})

    assert channel.bundle(bundle.digest) == bundle.files


def test_many_may_add_the_same_bundle_at_once(channel: ReleaseChannel) -> None:
    bundle, start = paper_bundle("first"), Barrier(6)

    def add(_: int) -> None:
        start.wait()
        channel.add_bundle(bundle.digest, bundle.files)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(6)))

    assert channel.bundle(bundle.digest) == bundle.files


def test_a_new_approval_takes_the_place_of_an_expired_one(channel: ReleaseChannel) -> None:
    digest = paper_bundle("first").digest
    channel.add_approval(digest, signed("expired"))
    channel.add_approval(digest, signed("new"))

    assert channel.approvals(digest) == (signed("new"),)


def test_what_is_not_there_is_not_found(channel: ReleaseChannel) -> None:
    digest = paper_bundle("first").digest

    for look in (lambda: channel.bundle(digest), lambda: channel.pointer(MODEL, 1), lambda: channel.stop(MODEL, 1)):
        with pytest.raises(NotFound):
            look()
    assert channel.approvals(digest) == ()


@pytest.mark.parametrize("name", ["../outside", "a/b", "", "..", "A" * 64, "c" * 63])
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    channel = FolderChannel(tmp_path / "channel")

    with pytest.raises(NotFound):
        channel.bundle(name)
    with pytest.raises(NotFound):
        channel.add_approval(name, signed())
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_not_seen(tmp_path: Path) -> None:
    """The writer is killed while a bundle's files are written and before its pointer got its name."""
    channel, bundle = FolderChannel(tmp_path), paper_bundle("first")
    program = f"""
import os, signal
from pathlib import Path
from models.adapters import durable
from models.adapters.folder_channel import FolderChannel
written = durable.write_synced
def dying(path, data, mode=0o644):
    written(path, data, mode)
    if path.name == "policy.json":
        os.kill(os.getpid(), signal.SIGKILL)
durable.write_synced = dying
FolderChannel(Path({str(tmp_path)!r})).add_bundle({bundle.digest!r}, {dict(bundle.files)!r})
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert any((tmp_path / "bundles").iterdir())

    with pytest.raises(NotFound):
        channel.bundle(bundle.digest)
    channel.add_bundle(bundle.digest, bundle.files)
    assert channel.bundle(bundle.digest) == bundle.files


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "channel").write_text("a file where the folder should be")

    with pytest.raises(Unavailable, match="channel"):
        FolderChannel(tmp_path / "channel").add_pointer(MODEL, 1, signed())
