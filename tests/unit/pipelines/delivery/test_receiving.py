"""Taking in a parcel: all of it or nothing, and once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.adapters.onnx_runtime import OnnxScorer
from models.errors import Integrity
from models.governance.approval import approve
from models.governance.delivery import Parcel, Statement
from models.governance.ledger import Event
from models.governance.requests import requested
from models.governance.signing import Duty, Trust
from pipelines.delivery.receiving import Arrived, Shelves, receive
from pipelines.promotion import Desk
from tests.fakes.packs import FakePacks
from tests.office import MODEL, NOON, Bank, PaperDossiers, paper_evidence, paper_evidence_digest, signer, trust, validator
from tests.samples import sealed

DEV = signer("dev", Duty.DELIVER)
BUNDLE = sealed(seed=1)


@dataclass
class Training:
    stored: dict[str, Mapping[str, bytes]] = field(default_factory=dict)

    def store(self, model: str, bundle: str, files: Mapping[str, bytes]) -> None:
        self.stored[bundle] = files


class Otherwise:
    """A runtime that computes something else."""

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full(len(inputs), 0.123)


def statement(**changes: object) -> Statement:
    said = {
        "model": MODEL,
        "version": 7,
        "bundle": BUNDLE.digest,
        "evidence": paper_evidence_digest(BUNDLE.digest),
        "trainer": "trainer",
        "compared_with": "",
        "reason": "every floor holds",
        "training": "",
        "writer": "",
        "sent_at": NOON.isoformat(),
    }
    return Statement(**{**said, **changes})  # type: ignore[arg-type]


def parcel(**changes: object) -> Parcel:
    said = statement(**changes)
    what = {"model": MODEL, "bundle": said.bundle, "evidence": said.evidence, "trainer": "trainer"}
    signed = approve(validator(), **what, now=NOON, comment="read all of it")
    return Parcel(DEV.sign(asdict(said)), BUNDLE.files, paper_evidence(BUNDLE.digest), (signed,))


class Here:
    """A home where people approve, that lets dev deliver."""

    def __init__(self) -> None:
        self.bank = Bank(local=False, dossiers=PaperDossiers())
        self.training, self.packs = Training(), FakePacks()

    def take(self, given: Parcel, load: type = OnnxScorer) -> Arrived:
        keys = {**trust().keys, Duty.DELIVER: {"dev": DEV.public()}}
        office = replace(self.bank.office, trust=Trust(keys))
        desk, shelves = Desk(self.bank.registry, office), Shelves(self.training, self.packs)
        return receive(desk, shelves, load, given, MODEL, by="k.ito", reason="September")


@pytest.fixture
def here() -> Here:
    return Here()


def test_what_arrives_is_registered_and_asked_for_under_this_homes_number(here: Here) -> None:
    came = here.take(parcel())
    assert (came.version, came.found.said.version) == (1, 7)
    assert here.bank.events() == [Event.RECEIVED, Event.REGISTERED, Event.REQUESTED, Event.APPROVED]
    received = here.bank.ledger.entries(MODEL)[0]
    assert (received.actor, received.facts["sender"], received.facts["reason"]) == ("k.ito", "dev", "September")
    assert requested(here.bank.office, MODEL, BUNDLE.digest).trainer == "trainer"
    assert here.training.stored.keys() == {BUNDLE.digest}


def test_the_same_parcel_again_adds_nothing(here: Here) -> None:
    here.take(parcel())
    before = here.bank.events()
    here.take(parcel())
    assert here.bank.events() == before


def test_a_pack_is_stored_as_one_and_named_with_the_release_that_wrote_it(here: Here) -> None:
    here.take(parcel(writer="1.0", training="t" * 64))
    (sealed_pack,) = here.bank.office.noted(Event.PACK_SEALED, MODEL, BUNDLE.digest)
    assert (sealed_pack.facts["writer"], sealed_pack.facts["pack"]) == ("1.0", paper_evidence_digest(BUNDLE.digest))
    assert [digest for _, _, digest in here.packs.stored] == [paper_evidence_digest(BUNDLE.digest)]
    assert here.training.stored == {}


def test_a_machine_on_which_the_golden_rows_score_otherwise_takes_nothing_in(here: Here) -> None:
    with pytest.raises(Integrity, match="golden rows score differently"):
        here.take(parcel(), load=lambda graph: Otherwise())  # type: ignore[arg-type]
    assert here.bank.events() == []
    assert here.bank.channel.bundles() == []
