"""A bank in miniature for governance tests: keys, an office on fakes, and bundles whose content does not matter."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.bundle import PARTS, Bundle
from models.channel import ReleaseChannel, release
from models.clock import FixedClock
from models.governance.ledger import Event, Ledger
from models.governance.requests import Office, Request, request
from models.governance.signing import Duty, Signer, Trust
from models.registry import RunRecord
from pipelines.promotion import Candidate, Desk
from tests.fakes.channel import FakeChannel
from tests.fakes.ledger import FakeLedger
from tests.fakes.registry import FakeRegistry

MODEL = "credit_default"
NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)


@cache
def signer(name: str, duty: Duty) -> Signer:
    return Signer(name, duty, Ed25519PrivateKey.generate())


def pipeline() -> Signer:
    return signer("pipeline", Duty.PUBLISH)


def validator() -> Signer:
    return signer("validator", Duty.APPROVE)


def trust() -> Trust:
    return Trust({Duty.PUBLISH: {"pipeline": pipeline().public()}, Duty.APPROVE: {"validator": validator().public()}})


@cache
def paper_bundle(content: str, model: str = MODEL) -> Bundle:
    """A sealed bundle whose parts are only text."""
    return Bundle.seal(model, {name: f"{content} {name}".encode() for name in PARTS}, lineage={"content": content})


def candidate(content: str) -> Candidate:
    run = RunRecord(f"train {content}", {"trees": "100"}, {"auc": 0.8}, {"as_of": "2005-08-31"})
    return Candidate(paper_bundle(content), run, trainer="trainer")


@dataclass
class Bank:
    """The desk of a pipeline, with its parts at hand. The demonstration approver is the validator's key in disguise."""

    channel: ReleaseChannel = field(default_factory=FakeChannel)
    ledger: Ledger = field(default_factory=FakeLedger)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    local: bool = True

    @property
    def office(self) -> Office:
        return Office(self.channel, self.ledger, trust(), pipeline(), self.clock, validator() if self.local else None)

    @property
    def desk(self) -> Desk:
        return Desk(self.registry, self.office)

    def ask(self, content: str, compared_with: str = "") -> str:
        """A request for a bundle with this content, that of `compared_with` being the champion; the bundle's digest."""
        bundle = paper_bundle(content)
        self.channel.add_bundle(bundle.digest, bundle.files)
        before = paper_bundle(compared_with).digest if compared_with else ""
        request(self.office, Request(MODEL, len(content), bundle.digest, "", "trainer", before, f"{content} is better"))
        return bundle.digest

    def served(self) -> str:
        """The digest that serving would load now, everything verified."""
        return release(self.channel, trust(), MODEL, now=self.clock.now()).bundle.digest

    def events(self) -> list[Event]:
        return [entry.event for entry in self.ledger.entries(MODEL)]
