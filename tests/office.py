"""A bank in miniature for governance tests: keys, an office on fakes, and bundles whose content does not matter."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.bundle import MANIFEST, PARTS, Bundle, canonical, sha256
from models.channel import ReleaseChannel, release
from models.clock import FixedClock
from models.credit_default import USE_CASE
from models.governance.dossier import FAIRNESS, FIGURES
from models.governance.inventory import OVERSIGHT
from models.governance.ledger import Event, Ledger
from models.governance.registration import note_registered
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


def witness() -> Signer:
    return signer("ledger", Duty.ATTEST)


def trust() -> Trust:
    people = {who.name: who.public() for who in (validator(), second())}
    publisher, attesting = {"pipeline": pipeline().public()}, {"ledger": witness().public()}
    return Trust({Duty.PUBLISH: publisher, Duty.APPROVE: people, Duty.ATTEST: attesting}, demonstration=True)


def second() -> Signer:
    """Another person who may approve."""
    return signer("second", Duty.APPROVE)


def paper_parts(content: str = "", **changes: bytes) -> dict[str, bytes]:
    """The parts of a bundle, by name without ending: only text, but for what governance reads."""
    inventory = canonical(USE_CASE.inventory.model_dump(mode="json"))
    read = {"policy.json": b'{"cut_off":0.2}', "inventory.json": inventory, "contract.json": contract_part()}
    given = {name: next(part for part in PARTS if part.startswith(name)) for name in changes}
    return {name: f"{content} {name}".encode() for name in PARTS} | read | {given[name]: data for name, data in changes.items()}


def contract_part(*, version: int = 1, most: float = 5_000_000) -> bytes:
    """The contract of the running example, its bills up to `most`."""
    contract = USE_CASE.contract
    bill = replace(contract["bill_0"], maximum=most)
    columns = tuple(bill if column.name == "bill_0" else column for column in contract.columns)
    return canonical(replace(contract, columns=columns, version=version).to_dict())


@cache
def paper_bundle(content: str, model: str = MODEL, **changes: bytes) -> Bundle:
    """A sealed bundle whose content does not matter."""
    return Bundle.seal(model, paper_parts(content, **changes), lineage={"content": content})


def paper_figures(**verdicts: str) -> bytes:
    """The figures of a pack, one a gate, with its verdict."""
    return canonical({"figures": [{"gate": gate, "verdict": verdict} for gate, verdict in verdicts.items()]})


def paper_evidence(bundle: str, **verdicts: str) -> dict[str, bytes]:
    """A sealed folder of every file that any tier demands. `verdicts` are those of its gates: fairness, passed."""
    files = {name: f"{name} of {bundle}".encode() for name in (*OVERSIGHT[1].evidence, *OVERSIGHT[1].pack)}
    files[FIGURES] = paper_figures(**verdicts or {FAIRNESS: "passed"})
    digests = {name: sha256(data) for name, data in files.items()}
    return files | {MANIFEST: canonical({"bundle": bundle, "files": digests})}


def paper_evidence_digest(bundle: str) -> str:
    return sha256(paper_evidence(bundle)[MANIFEST])


def candidate(content: str, **changes: bytes) -> Candidate:
    run = RunRecord(f"train {content}", {"trees": "100"}, {"auc": 0.8}, {"as_of": "2005-08-31"})
    bundle = paper_bundle(content, **changes)
    return Candidate(bundle, run, trainer="trainer", evidence=paper_evidence_digest(bundle.digest))


class PaperDossiers:
    """Evidence of every bundle, unless a test replaced it."""

    def __init__(self) -> None:
        self.replaced: dict[str, dict[str, bytes]] = {}

    def files(self, model: str, bundle: str, evidence: str = "") -> Mapping[str, bytes]:
        return self.replaced.get(bundle, paper_evidence(bundle))

    def place(self, model: str, bundle: str, evidence: str = "") -> str:
        return f"evidence/{model}/{bundle[:12]}"


@dataclass
class Bank:
    """The desk of a pipeline, with its parts at hand. The demonstration approver is the validator's key in disguise."""

    channel: ReleaseChannel = field(default_factory=FakeChannel)
    ledger: Ledger = field(default_factory=lambda: FakeLedger(witness()))
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    dossiers: PaperDossiers = field(default_factory=PaperDossiers)
    local: bool = True
    canaries: bool = False

    @property
    def office(self) -> Office:
        demonstration = validator() if self.local else None
        return Office(self.channel, self.ledger, trust(), pipeline(), self.clock, self.dossiers, demonstration, self.canaries)

    @property
    def desk(self) -> Desk:
        return Desk(self.registry, self.office)

    def ask(self, content: str, compared_with: str = "", **changes: bytes) -> str:
        """A request for a bundle with this content, that of `compared_with` being the champion; the bundle's digest."""
        made = candidate(content, **changes)
        digest = made.bundle.digest
        self.channel.add_bundle(digest, made.bundle.files)
        before = paper_bundle(compared_with).digest if compared_with else ""
        self.register(digest, made.evidence, len(content))
        request(self.office, Request(MODEL, len(content), digest, made.evidence, "trainer", before, f"{content} is better"))
        return digest

    def register(self, digest: str, evidence: str, version: int = 1) -> None:
        """What a pipeline writes down, signed, before it asks."""
        note_registered(self.office, MODEL, version=version, bundle=digest, evidence=evidence, run="run", actor="trainer")

    def served(self) -> str:
        """The digest that serving would load now, everything verified."""
        return release(self.channel, trust(), MODEL, now=self.clock.now()).bundle.digest

    def events(self) -> list[Event]:
        return [entry.event for entry in self.ledger.entries(MODEL)]
