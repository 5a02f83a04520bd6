"""Considering a retraining with the platform's parts, and writing down what came of it: the steps of the retrain flow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime

from models.errors import Held, Integrity, PlatformError
from models.governance.ledger import Event
from models.governance.retrainings import Course, Explanation, listed, trainings
from models.governance.standing import standing
from monitoring.report import MonthlyReport, counting
from pipelines.assessment import Champion
from pipelines.knowledge import Knowledge
from pipelines.promotion import keep
from pipelines.retraining import Retraining, decide_retraining
from pipelines.steps import Ending, Kind, in_force, knowledge
from pipelines.triggers.situation import InForce, Seen, Situation, cited, seen, stored
from pipelines.wiring import Platform

FAILED = "failed"


def consider(
    platform: Platform, reports: Sequence[MonthlyReport], as_of: date, asked_by: str, known_at: datetime | None = None
) -> Retraining:
    """Whether to retrain as of a day, and why. What was known bounds the training; the reports are always today's."""
    champion, knows = in_force(platform), knowledge(platform, as_of, known_at)
    return decide_retraining(
        Situation(
            as_of=as_of,
            now=platform.clock.now(),
            champion=_standing(platform, champion, knows) if champion else None,
            definition=knows.definition(),
            reports=[_found(platform, report) for report in counting(reports)],
            before=stored(platform.reports, platform.use_case.name),
        ),
        knows.holds(),
        platform.use_case.policy.retraining,
        trainings(platform.ledger.entries(platform.use_case.name)),
        asked_by=asked_by,
    )


def rest(platform: Platform, decided: Retraining, as_of: date) -> Ending:
    """No training: say why, in the ledger too."""
    keep(platform.desk, platform.use_case.name, bundle="", as_of=as_of, actor=platform.trainer, reason=decided.sentence)
    ending = Ending(Kind.HELD if decided.course is Course.HOLD else Kind.RESTED, decided.sentence)
    if decided.triggers or decided.course is Course.HOLD:
        _write(platform, _explanation(decided, as_of, ending.kind.value, decided.sentence))
    return ending


@contextmanager
def explained(platform: Platform, why: Retraining, as_of: date) -> Iterator[Callable[[Ending], Ending]]:
    """A training: noted when it begins, and explained when it has ended, also by a problem. `told` takes its ending."""
    facts = {"as_of": as_of.isoformat(), "triggers": listed(why.triggers), "reason": why.sentence}
    _note(platform, Event.RETRAINING_BEGUN, facts)

    def told(ending: Ending) -> Ending:
        about = _explanation(why, as_of, ending.kind.value, ending.sentence)
        _write(platform, replace(about, failed=ending.failed, version=ending.version, bundle=ending.bundle))
        return ending

    try:
        yield told
    except PlatformError as error:
        _write(platform, _explanation(why, as_of, Kind.HELD.value if isinstance(error, Held) else FAILED, str(error)))
        raise


def despite(ending: Ending, decided: Retraining) -> Ending:
    """The ending of a retraining, with what the monitoring said to the contrary."""
    return replace(ending, sentence=f"{ending.sentence} {decided.against}".strip())


def _standing(platform: Platform, champion: Champion, knows: Knowledge) -> InForce:
    bundle = champion.bundle
    stands = standing(platform.channel, platform.trust(), platform.ledger, bundle.model, platform.clock.now())
    months, _ = knows.comparable_months()
    fresh = [part for part in knows.outcomes() if part.month in months and not champion.was_trained_on(str(part.month))]
    return InForce(
        as_of=date.fromisoformat(bundle.lineage["as_of"]),
        definition=champion.definition,
        bundle=bundle.digest,
        fresh=tuple(map(cited, fresh)),
        approved_until=min((approval.ends for approval in stands.approvals), default=None),
    )


def _found(platform: Platform, report: MonthlyReport) -> Seen:
    """The report where it is stored. Raises `Integrity` if it is there no longer: a trigger without evidence is none."""
    for key in platform.reports.keys(report.model, report.month):
        if platform.reports.read(key) == report:
            return seen(platform.reports, key, report)
    raise Integrity(
        f"the report on {report.month} of {report.model} is not in the store as it was written", hint="run `make report` again"
    )


def _explanation(why: Retraining, as_of: date, ending: str, sentence: str) -> Explanation:
    return Explanation(as_of.isoformat(), why.course, why.triggers, why.sentence, ending, sentence)


def _write(platform: Platform, explanation: Explanation) -> None:
    _note(platform, Event.RETRAINING_ENDED, explanation.facts())


def _note(platform: Platform, event: Event, facts: Mapping[str, object]) -> None:
    platform.ledger.append(event, model=platform.use_case.name, actor=platform.trainer, at=platform.clock.now(), facts=facts)
