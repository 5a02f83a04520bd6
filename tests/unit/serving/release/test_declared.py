"""Serving asks the sealed inventory itself: past every rule of promotion, a bundle that leaves something out answers nobody."""

import json
from dataclasses import asdict

import pytest

from models.bundle import Bundle, canonical
from models.channel import Move, Pointer
from models.errors import NotApproved
from models.governance.approval import approve
from models.governance.inventory import PART
from tests.bundles import MODEL, fake_bundle
from tests.unit.serving.release.test_watching import World


@pytest.fixture
def world() -> World:
    return World()


def with_inventory(**changes: object) -> Bundle:
    """A bundle made by hand: everything of another one, but for its inventory."""
    made = fake_bundle(0.1)
    files = {name: data for name, data in made.files.items() if name != "manifest.json"}
    files[PART] = canonical(json.loads(files[PART]) | changes)
    return Bundle.seal(MODEL, files, lineage=made.lineage)


def forced(world: World, bundle: Bundle) -> None:
    """Signed with the approver's and the publisher's own keys, and written where nobody asks."""
    now = world.clock.now()
    world.channel.add_bundle(bundle.digest, bundle.files)
    named = {"model": MODEL, "bundle": bundle.digest, "evidence": "e" * 64, "trainer": "pipeline", "comment": "checked"}
    world.channel.add_approval(bundle.digest, approve(world.office.approver, now=now, **named))
    pointer = Pointer(MODEL, 1, 1, bundle.digest, "", now.isoformat(), "because I can", Move.PROMOTE, "pipeline")
    world.channel.add_pointer(MODEL, 1, world.office.publisher.sign(asdict(pointer)))


def test_a_bundle_made_by_hand_with_a_whole_inventory_is_served(world: World) -> None:
    forced(world, with_inventory())
    assert world.version() == 1


@pytest.mark.parametrize(
    ("field", "nothing"), [("owner", ""), ("purpose", " "), ("purpose_class", None), ("permitted", []), ("forbidden", [])]
)
def test_a_bundle_made_by_hand_with_an_empty_field_is_not_served(world: World, field: str, nothing: object) -> None:
    forced(world, with_inventory(**{field: nothing}))
    assert world.version() is None
    obstacle = world.watcher.obstacle()
    assert isinstance(obstacle, NotApproved)
    assert f"leaves out: {field}" in obstacle.problem
