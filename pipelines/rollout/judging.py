"""Judge the open roll-out of a model and act: go on, end it, or ask people for a promotion. Nothing is ever promoted here."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.errors import Misconfigured, NotFound
from models.governance.attestation import ensure_attested
from models.governance.ledger import Event
from models.governance.requests import Office, requested
from models.governance.rollout_records import reconcile
from models.governance.rollouts import ask_for_promotion, end, open_rollout
from models.rollout import End, Mode, Outcome, Rollout, lapsed
from monitoring.rollout.documents import VerdictDocument, VerdictStore, documented
from monitoring.rollout.findings import Standing
from monitoring.rollout.judge import Seen, State, Verdict, judge
from monitoring.rollout.kept import newest
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
    """Raises `NotFound` if no roll-out is open; `Integrity` if the ledger could not record what was judged, or ended."""
    office, now = bench.office, bench.office.clock.now()
    begun = open_rollout(office, model)
    over = lapsed(office.channel, begun, now)
    found = _seen(bench, begun, now)
    verdict = judge(found, begun.guardrails, mode=begun.mode.value, share=begun.share)
    outcome = _outcome(office, begun, verdict, over, now)
    document = documented(_said(begun), verdict, at=now, ended=outcome is not None)
    kept = outcome is not None or _is_news(bench, document)
    if kept:
        _keep(bench, document, ended=outcome is not None)
    ended = _acted(office, begun, document, outcome, over) if outcome else None
    return Judged(begun, document, ended, kept)


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
    said = _in_short(document)
    if outcome is Outcome.PROMOTION_ASKED:
        mode = "shadow" if begun.mode is Mode.SHADOW else f"canary of {begun.share:g}"
        ask_for_promotion(office, begun, reason=f"Roll-out {begun.number}, a {mode}: {said}")
    elif outcome is Outcome.ENDED and over:
        said = f"It applies no longer: {over}. {said}"
    elif outcome is Outcome.ENDED:
        said = f"{said} Nobody asked to promote it beside this champion: the gate did not let it through."
    ended = end(office, begun, outcome, asked_by=JUDGE, reason=said, evidence=document.digest)
    if ended.evidence != document.digest:  # somebody ended it meanwhile
        _note(office, document)
    return ended


def _in_short(document: VerdictDocument) -> str:
    """The verdict's sentence repeats the findings of guardrails that are outside. They are only named here: the channel that
    serving reads, and the ledger, are no place for figures by audit column."""
    outside = [each.name for each in document.verdict.findings if each.standing is Standing.OUTSIDE]
    told = f"Roll back: outside the limit is {', '.join(outside)}." if outside else document.verdict.sentence
    return f"{told} Verdict {document.digest[:12]}."


def _said(begun: Rollout) -> dict[str, object]:
    """The fields of the roll-out that a verdict repeats."""
    left_out = ("pointer", "stop")
    return {name: value for name, value in begun.to_document().items() if name not in left_out}


def _keep(bench: Bench, document: VerdictDocument, *, ended: bool) -> None:
    """An end names its verdict itself, in document and ledger, and waits for no ledger. One to go on is named here."""
    if not ended:
        ensure_attested(bench.office)
        reconcile(bench.office, document.model)
    bench.verdicts.add(document)
    if not ended:
        _note(bench.office, document)


def _note(office: Office, document: VerdictDocument) -> None:
    facts = {"rollout": document.number, "verdict": document.digest, "state": document.verdict.state.value}
    office.note(Event.ROLLOUT_JUDGED, document.model, JUDGE, facts)


def _is_news(bench: Bench, document: VerdictDocument) -> bool:
    """Also where the last verdict is gone, or was edited."""
    last = newest(bench.verdicts, bench.office.ledger.entries(document.model), document.model, document.number)
    if last is None:
        return True
    since = datetime.fromisoformat(document.recorded_at) - datetime.fromisoformat(last.recorded_at)
    return since >= KEPT_EVERY or _standings(last) != _standings(document)


def _standings(document: VerdictDocument) -> list[tuple[str, str]]:
    found = [(finding.name, finding.standing.value) for finding in document.verdict.findings]
    return [("state", document.verdict.state.value), *found]
