"""Judge the open roll-out of a model and act: go on, end it, or ask people for a promotion. Nothing is ever promoted here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.errors import Misconfigured, NotFound
from models.governance.ledger import Entry, Event
from models.governance.requests import Office, requested
from models.governance.rollouts import ask_for_promotion, end, open_rollout
from models.governance.verification import Finding
from models.rollout import End, Mode, Outcome, Rollout, lapsed
from monitoring.rollout.documents import VerdictDocument, VerdictStore, documented
from monitoring.rollout.judge import Seen, State, Verdict, judge
from monitoring.trials import Trials
from pipelines.rollout.seen import Groups, Lift, seen

JUDGE = "judge of roll-outs"
"""Who acts on a verdict, in the ledger."""
KEPT_EVERY = timedelta(hours=1)
"""A verdict that says nothing new is kept so often: roll-outs are judged every few minutes, for weeks."""


@dataclass(frozen=True)
class Bench:
    """What judging needs."""

    office: Office
    trials: Trials
    verdicts: VerdictStore
    lift: Lift
    groups: Groups


@dataclass(frozen=True)
class Judged:
    """`ended` is None if the roll-out goes on. `kept`: the verdict was stored."""

    begun: Rollout
    document: VerdictDocument
    ended: End | None
    kept: bool


def judge_rollout(bench: Bench, model: str) -> Judged:
    """Raises `NotFound` if no roll-out is open; `Integrity` if it was ended and the ledger could not record it."""
    office, now = bench.office, bench.office.clock.now()
    begun = open_rollout(office, model)
    over = lapsed(office.channel, begun, now)
    found = _seen(bench, begun, now)
    verdict = judge(found, begun.guardrails, mode=begun.mode.value, share=begun.share)
    outcome = _outcome(office, begun, verdict, over, now)
    document = documented(_said(begun), verdict, at=now, ended=outcome is not None)
    kept = outcome is not None or _is_news(bench.verdicts, document)
    if kept:
        bench.verdicts.add(document)
    ended = _acted(office, begun, document, outcome, over) if outcome else None
    return Judged(begun, document, ended, kept)


def check_verdicts(verdicts: VerdictStore, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Every verdict that ended a roll-out is kept as the ledger names it: the check for `make verify`."""
    for entry in entries:
        if entry.event is Event.ROLLOUT_ENDED and (digest := entry.facts["evidence"]):
            number = entry.facts["rollout"]
            if digest not in {document.digest for document in verdicts.verdicts(entry.model, number)}:
                yield Finding(
                    f"ledger entry {entry.number}",
                    f"the verdict {digest[:12]} that ended roll-out {number} of {entry.model} is gone, or another",
                    "put the verdicts back from their backup",
                )


def _seen(bench: Bench, begun: Rollout, now: datetime) -> Seen:
    """Where the keys of the audit columns are not mounted, harm to all is still looked for, but nothing passes."""
    try:
        return seen(bench.trials, begun, bench.lift, now, bench.groups)
    except Misconfigured as error:
        return replace(seen(bench.trials, begun, bench.lift, now), ungrouped=error.problem)


def _outcome(office: Office, begun: Rollout, verdict: Verdict, over: str, now: datetime) -> Outcome | None:
    """What the verdict comes to. Who was replaced or stopped is judged for the record: nothing is asked for any more."""
    if over and now < begun.ends:
        return Outcome.ENDED
    if verdict.state is State.ROLL_BACK:
        return Outcome.ROLLED_BACK
    if verdict.state is State.ASK_FOR_PROMOTION and _stands(office, begun):
        return Outcome.PROMOTION_ASKED
    return Outcome.ENDED if over or verdict.state is State.ASK_FOR_PROMOTION else None


def _stands(office: Office, begun: Rollout) -> bool:
    """Whether its promotion was asked for, beside this champion. A shadow may be of one that the gate did not let through."""
    try:
        return requested(office, begun.model, begun.challenger).compared_with == begun.champion
    except NotFound:
        return False


def _acted(office: Office, begun: Rollout, document: VerdictDocument, outcome: Outcome, over: str) -> End:
    said = document.verdict.sentence
    if outcome is Outcome.PROMOTION_ASKED:
        mode = "shadow" if begun.mode is Mode.SHADOW else f"canary of {begun.share:g}"
        ask_for_promotion(office, begun, reason=f"Roll-out {begun.number}, a {mode}: {said} Verdict {document.digest[:12]}.")
    elif outcome is Outcome.ENDED and over:
        said = f"It applies no longer: {over}. {said}"
    elif outcome is Outcome.ENDED:
        said = f"{said} Nobody asked to promote it beside this champion: the gate did not let it through."
    return end(office, begun, outcome, asked_by=JUDGE, reason=said, evidence=document.digest)


def _said(begun: Rollout) -> dict[str, object]:
    """The fields of the roll-out that a verdict repeats."""
    left_out = ("pointer", "stop")
    return {name: value for name, value in begun.to_document().items() if name not in left_out}


def _is_news(verdicts: VerdictStore, document: VerdictDocument) -> bool:
    kept = verdicts.verdicts(document.model, document.number)
    if not kept:
        return True
    since = datetime.fromisoformat(document.recorded_at) - datetime.fromisoformat(kept[0].recorded_at)
    return since >= KEPT_EVERY or _standings(kept[0]) != _standings(document)


def _standings(document: VerdictDocument) -> list[tuple[str, str]]:
    found = [(finding.name, finding.standing.value) for finding in document.verdict.findings]
    return [("state", document.verdict.state.value), *found]
