"""Does a release that is being served still stand? Its approval, its pointer and its bytes, as the channel has them now.

Two kinds of answer, because a bank wants two different things. Without an approval in force nothing may be decided:
`approved_now` raises `NotApproved`, and the model stops. Everything else, a channel that is away or bytes that were
changed on it, cannot touch the verified copy in memory: that is reported, and the model answers on.
"""

from datetime import datetime

from models.bundle import Bundle
from models.channel import Release, ReleaseReader, pointer_at
from models.errors import Integrity, NotApproved, NotFound, Unavailable
from models.governance.signing import Signed, Trust
from serving.answers.loaded import LoadedModel, expired


def approved_now(model: LoadedModel, channel: ReleaseReader, trust: Trust, now: datetime) -> Release:
    """The release under the channel's approvals, or those in memory while the channel cannot say. Raises `NotApproved`."""
    found = _held_now(model, channel)
    if found == model.release.approvals and now >= model.expires_at:
        raise expired(model)
    return model.release.under(found, trust, now)


def check_pointer(model: LoadedModel, channel: ReleaseReader, trust: Trust) -> None:
    """Raises `Integrity` or `NotApproved` if the pointer in force is no longer the one that was signed and loaded."""
    name, sequence = model.pointer.model, model.pointer.sequence
    if pointer_at(channel, trust, name, sequence) != model.pointer:
        raise Integrity(
            f"pointer {sequence} of {name} was replaced on the release channel",
            hint="the release that was verified answers on from memory; find out who wrote there, and put it back from a copy",
        )


def check_bytes(model: LoadedModel, channel: ReleaseReader) -> None:
    """Read every file of the bundle again. Raises `Integrity` if one is missing or another than the one loaded."""
    digest = model.pointer.bundle
    try:
        Bundle.verified(channel.bundle(digest), digest)
    except (Integrity, NotFound) as error:
        raise Integrity(
            f"the bundle that is served was changed on the release channel: {error.problem}",
            hint="the verified copy in memory answers on, a restart would find none: find out who wrote there, take the folder"
            f" bundles/{digest[:12]}… out of the channel and put back the one from its backup; the registry has the same files",
        ) from error


def _held_now(model: LoadedModel, channel: ReleaseReader) -> tuple[Signed, ...]:
    pointer = model.pointer
    try:
        found = channel.approvals(pointer.bundle)
    except Unavailable:
        return model.release.approvals
    if found or not shows(channel, model):  # a folder that is not mounted is empty, too: that withdraws nothing
        return found or model.release.approvals
    raise NotApproved(
        f"the approval of {pointer.model} version {pointer.version} was withdrawn from the release channel",
        hint="nothing is decided without one: ask a validator for an approval, or promote an approved release",
    )


def shows(channel: ReleaseReader, model: LoadedModel) -> bool:
    """Whether the channel answers and knows of the release: an empty folder is one that is not mounted."""
    try:
        return channel.pointers(model.pointer.model) >= model.pointer.sequence
    except Unavailable:
        return False
