"""The commands about roll-outs: begin a shadow or a canary, judge it, end it, see what there is."""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from models.channel import head
from models.errors import InputRefused, NoChampion, NotFound
from models.governance.ledger import Event
from models.governance.rollout_records import read
from models.governance.rollouts import begin, end_newest
from models.guardrails import Guardrails
from models.rollout import End, Mode, Outcome, Rollout, lapsed, remedy
from monitoring.rollout.documents import VerdictDocument
from monitoring.rollout.kept import kept
from pipelines.commands.loop import Ended
from pipelines.rollout.judging import Judged, judge_rollout
from pipelines.rollout.step import bench, signed_groups
from pipelines.wiring import Platform, platform

EVEN = 0.5  # in shadow every account is scored by both: as many as two equal arms would have


def shadow(chosen: Namespace) -> Ended:
    return _begin(chosen, Mode.SHADOW, 1.0)


def canary(chosen: Namespace) -> Ended:
    return _begin(chosen, Mode.CANARY, chosen.share)


def end_rollout(chosen: Namespace) -> Ended:
    parts = _with_champion(chosen)
    model = parts.use_case.name
    ended = end_newest(parts.office, model, asked_by=chosen.by, reason=chosen.reason)
    print(f"{ended.what} is ended: {_why(ended)}. Every service obeys within five seconds.")
    if ended.over:
        numbers = ", ".join(map(str, ended.over))
        print(f"Nobody can read roll-out document {numbers}, and it counts for nothing now. Find out who writes on the channel.")
    return Ended.DONE


def rollouts(chosen: Namespace) -> Ended:
    parts = _with_champion(chosen)
    channel, trust, model = parts.channel, parts.trust(), parts.use_case.name
    documents, unreadable = read(channel, trust, model)
    ends = {found.rollout: found for found in documents if isinstance(found, End)}
    for begun in documents:
        if isinstance(begun, Rollout):
            print("\n".join(_told(parts, begun, ends.get(begun.number), newest=begun.number == channel.rollouts(model))))
    for number, problem in unreadable.items():
        print(f"roll-out document {number} cannot be read: {problem.problem}\n  -> {remedy(channel.rollouts(model))}")
    if not documents and not unreadable:
        print(f"Nothing was ever rolled out of {model} by degrees.")
    return Ended.DONE


def judge(chosen: Namespace) -> Ended:
    parts = _with_champion(chosen)
    try:
        judged = judge_rollout(bench(parts), parts.use_case.name)
    except NotFound:
        print(f"No roll-out of {parts.use_case.name} is open: there is nothing to judge.")
        return Ended.DONE
    print("\n".join(_verdict(judged)))
    if judged.ended and judged.ended.outcome is Outcome.PROMOTION_ASKED:
        print(f"Next: make swap-set CHALLENGER={judged.begun.challenger_version}, which people read; then make requests")
    return Ended.DONE


def limit(text: str) -> tuple[str, float | int]:
    """A guardrail as it is typed: agreement=.8. Bins and groups follow from champion and policy."""
    name, _, value = text.partition("=")
    try:
        number = {int: int, float: float}[type(getattr(Guardrails(), name))]
        return name, number(value)
    except (AttributeError, KeyError, ValueError) as error:
        raise ArgumentTypeError(f"{text!r} is no guardrail; write it as agreement=.8, see models/guardrails.py") from error


def _begin(chosen: Namespace, mode: Mode, share: float) -> Ended:
    parts = _with_champion(chosen)
    parts.attested()
    office, model = parts.office, parts.use_case.name
    begun = begin(
        office,
        model,
        mode,
        bundle=_registered(parts, chosen.challenger),
        share=share,
        ends=parts.clock.now() + timedelta(days=chosen.days),
        asked_by=chosen.by,
        reason=chosen.reason,
        guardrails=_guardrails(parts, mode, share, chosen.days, dict(chosen.limit)),
    )
    scores, decides = "scores all that is answered, and decides nothing", f"decides for {share:g} of the accounts"
    does = scores if mode is Mode.SHADOW else decides
    until = f"until {begun.ends:%Y-%m-%d %H:%M} UTC"
    print(f"Roll-out {begun.number} of {model}: version {begun.challenger_version} as a {mode.value} {does}.")
    print(f"  beside version {begun.champion_version}, {until}; services follow within five seconds")
    print(f"  judged on {begun.guardrails.smallest_accounts:,} accounts: docs/rollout.md")
    print('Next: make judge-rollout, or make schedule, which judges every few minutes; make end-rollout BY=… REASON="…" ends it')
    return Ended.DONE


def _guardrails(parts: Platform, mode: Mode, share: float, days: int, given: dict[str, Any]) -> Guardrails:
    """Fitted to the champion; what a person stated counts instead."""
    if mode is Mode.CANARY and not 0 < share < 1:
        raise InputRefused(f"the share of a canary is {share:g}", hint="write SHARE=.1, for a tenth of the accounts")
    if given.get("longest_days", days) != days:
        raise InputRefused("longest_days is how long the roll-out lasts", hint="write DAYS=7, and no --limit longest_days")
    champion = parts.released_bundle(head(parts.channel, parts.trust(), parts.use_case.name).bundle)
    groups = signed_groups(parts) if mode is Mode.CANARY else {}
    reference = champion.part("reference.json")
    return Guardrails(longest_days=days, groups=groups).fitted(reference, EVEN if mode is Mode.SHADOW else share, given)


def _registered(parts: Platform, text: str) -> str:
    """The digest of a registered version, by its number or the beginning of its digest. Raises `NotFound`."""
    entries = parts.ledger.entries(parts.use_case.name)
    known: dict[str, str] = {
        entry.facts["bundle"]: str(entry.facts["version"]) for entry in entries if entry.event is Event.REGISTERED
    }
    found = [digest for digest, version in known.items() if version == text] or [each for each in known if each.startswith(text)]
    if len(found) != 1:
        raise NotFound(f"{len(found) or 'no'} registered versions are {text!r}", hint="see make versions")
    return found[0]


def _with_champion(chosen: Namespace) -> Platform:
    parts = platform(use_case=chosen.model or "")
    if not parts.channel.pointers(parts.use_case.name):
        raise NoChampion(f"{parts.use_case.name} has no champion", hint="a roll-out needs one to compare with: make train")
    return parts


def _told(parts: Platform, begun: Rollout, ended: End | None, *, newest: bool) -> Sequence[str]:
    state = "superseded"
    if ended:
        state = f"{ended.at:.16}: {_why(ended)}"
    elif newest:
        over = lapsed(parts.channel, begun, parts.clock.now())
        state = f"applies no longer: {over}" if over else "applies"
    share = f" of {begun.share:g}" if begun.mode is Mode.CANARY else ""
    lines = [
        f"roll-out {begun.number}  {begun.mode.value}{share}  version {begun.challenger_version} beside {begun.champion_version}",
        f"  {begun.started_at:.16} to {begun.ends_at:.16}, asked by {begun.asked_by}: {begun.reason}",
        f"  {state}",
    ]
    counted = kept(parts.verdicts, parts.ledger.entries(begun.model), begun.model, begun.number)
    lines += [f"  {found.recorded_at:.16}: {found.verdict.sentence}" for found in counted[:1]]
    others = len(parts.verdicts.found(begun.model, begun.number)) - len(counted)
    return [*lines, f"  {others} more lie there that the ledger does not name so: make verify"] if others else lines


def _why(ended: End) -> str:
    words = {Outcome.ENDED: "ended", Outcome.ROLLED_BACK: "rolled back", Outcome.PROMOTION_ASKED: "promotion asked for"}
    return f"{words[ended.outcome]} by {ended.asked_by}: {ended.reason}"


def _verdict(judged: Judged) -> Sequence[str]:
    begun, document = judged.begun, judged.document
    found: VerdictDocument = document
    lines = [f"Roll-out {begun.number} of {begun.model}, a {begun.mode.value}: {found.verdict.sentence}"]
    lines += [f"  {finding.standing.value:12} {finding.text}" for finding in found.verdict.findings]
    lines += [f"  {found.verdict.on_default}"]
    if judged.ended:
        lines.append(f"The roll-out is over: {_why(judged.ended)}")
    return [*lines, f"verdict {document.digest[:12]}"] if judged.kept else lines
