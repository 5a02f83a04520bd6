"""The last steps of a training run: register what was made, ask for its promotion, or keep the champion and say why.

Every step can be repeated: a killed run leaves the champion in force, and the same command again completes it. The
registry is written first and mirrored last; nothing that is served depends on it.
"""

from dataclasses import dataclass
from datetime import date

from models.bundle import Bundle
from models.channel import Pointer, ReleaseChannel, history
from models.governance import release
from models.governance.ledger import Event, Ledger
from models.governance.registration import note_registered
from models.governance.requests import Office, Request, request
from models.governance.signing import Trust
from models.registry import ModelRegistry, ModelVersion, RunRecord


@dataclass(frozen=True)
class Candidate:
    """What training hands over. `evidence` is the digest of the evidence folder, "" while there is none."""

    bundle: Bundle
    run: RunRecord
    trainer: str
    evidence: str = ""


@dataclass(frozen=True)
class Desk:
    """Where a pipeline registers and releases models."""

    registry: ModelRegistry
    office: Office


def register(desk: Desk, candidate: Candidate) -> ModelVersion:
    """A registered version of the candidate, the challenger from now on. Idempotent by bundle digest.

    Its bundle goes into the channel, where it is inert until it is approved: also one that the gate refused may be overridden.
    """
    bundle, model = candidate.bundle, candidate.bundle.model
    version = desk.registry.register(model, candidate.run, bundle.files, bundle.digest)
    desk.office.channel.add_bundle(bundle.digest, bundle.files)
    note_registered(
        desk.office,
        model,
        version=version.version,
        bundle=bundle.digest,
        evidence=candidate.evidence,
        run=version.run_id,
        actor=candidate.trainer,
    )
    mirror(desk, model)
    return version


def request_promotion(desk: Desk, candidate: Candidate, *, compared_with: str, reason: str) -> ModelVersion:
    """Register the candidate and ask. `compared_with` is the champion's digest, "" for none."""
    version = register(desk, candidate)
    bundle = candidate.bundle
    wanted = Request(bundle.model, version.version, bundle.digest, candidate.evidence, candidate.trainer, compared_with, reason)
    request(desk.office, wanted)
    return version


def promote(desk: Desk, model: str, bundle: str) -> Pointer:
    """See `models.governance.release.promote`; the registry's aliases follow."""
    pointer = release.promote(desk.office, model, bundle)
    mirror(desk, model)
    return pointer


def roll_back(desk: Desk, model: str, *, away_from: str, asked_by: str, reason: str) -> Pointer:
    """See `models.governance.release.roll_back`; the registry's aliases follow."""
    pointer = release.roll_back(desk.office, model, away_from=away_from, asked_by=asked_by, reason=reason)
    mirror(desk, model)
    return pointer


def keep(desk: Desk, model: str, *, bundle: str, as_of: date, actor: str, reason: str) -> None:
    """The champion stays: the challenger `bundle` ("" if none was trained) was not good enough, and why."""
    desk.office.note_once(Event.KEPT, model, actor, {"bundle": bundle, "as_of": as_of.isoformat(), "reason": reason})
    mirror(desk, model)


def mirror(desk: Desk, model: str) -> None:
    """Set the registry's aliases to what the channel and the ledger say, whatever anybody set by hand."""
    desk.registry.mirror(model, aliases(desk.office.channel, desk.office.trust, desk.office.ledger, model))


def aliases(channel: ReleaseChannel, trust: Trust, ledger: Ledger, model: str) -> dict[str, str | None]:
    """The bundle that each alias stands for; None where there is none."""
    pointers = history(channel, trust, model)
    champion, previous = (pointers[-1].bundle, pointers[-1].previous or None) if pointers else (None, None)
    return {"champion": champion, "previous": previous, "challenger": _challenger(ledger, model)}


def _challenger(ledger: Ledger, model: str) -> str | None:
    """The newest registered bundle, until it was promoted or refused."""
    challenger = None
    for entry in ledger.entries(model):
        if entry.event is Event.REGISTERED:
            challenger = entry.facts["bundle"]
        elif entry.event in (Event.PROMOTED, Event.REPROMOTED, Event.KEPT) and entry.facts["bundle"] == challenger:
            challenger = None
    return challenger
