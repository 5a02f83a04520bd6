"""The triggers, one function each: a situation in, what fired out, with its evidence."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from models.clock import Month
from models.governance.retrainings import Cited, Trigger, TriggerKind
from models.policy import ReReview, RetrainingRules
from monitoring.verdict import Finding, Level, Suggestion, Verdict, overall
from pipelines.triggers.situation import InForce, Seen, Situation

PERFORMANCE = frozenset({"auc_drop", "calibration"})
"""Findings about realised outcomes; every other red one is a shift."""


def fired(situation: Situation, rules: RetrainingRules) -> list[Trigger]:
    """Everything that speaks for a training now, what weighs most first."""
    champion = situation.champion
    if champion is None:
        return [Trigger(TriggerKind.FIRST, "There is no champion yet.")]
    found = [
        *definition(champion, situation.definition),
        *verdict(situation.reports),
        *matured(champion, rules),
        *scheduled(champion, rules, situation.as_of),
        *(approval(champion, rules.re_review, situation.now) if rules.re_review else []),
        *(lasting(situation.before, rules.re_review) if rules.re_review else []),
    ]
    return sorted(found, key=lambda trigger: list(TriggerKind).index(trigger.kind))


def weighed(reports: Sequence[Seen]) -> Verdict | None:
    """What the monitoring says of all of them; None while nothing was reported on."""
    return overall([seen.report.verdict for seen in reports]) if reports else None


def definition(champion: InForce, in_force: int) -> Iterator[Trigger]:
    if champion.definition != in_force:
        said = f"Outcome definition {in_force} was accepted; the champion was trained on {champion.definition}."
        yield Trigger(TriggerKind.DEFINITION, said)


def verdict(reports: Sequence[Seen]) -> Iterator[Trigger]:
    """What the monitoring asks for, told apart: realised performance has failed, or something has shifted."""
    said = weighed(reports)
    if said is None or said.suggests is not Suggestion.RETRAIN:
        return
    red = [finding for finding in said.findings if finding.level is Level.RED]
    realised = [finding for finding in red if finding.kind in PERFORMANCE]
    if realised:
        yield Trigger(TriggerKind.PERFORMANCE, _texts(realised), _citing(reports, realised))
    if shifted := [finding for finding in red if finding not in realised]:
        yield Trigger(TriggerKind.DRIFT, _texts(shifted), _citing(reports, shifted))


def matured(champion: InForce, rules: RetrainingRules) -> Iterator[Trigger]:
    fresh = champion.fresh
    if rules.matured_cohorts and len(fresh) >= rules.matured_cohorts:
        said = f"{len(fresh)} cohorts have matured that the champion was not made of."
        yield Trigger(TriggerKind.MATURED, said, fresh)


def scheduled(champion: InForce, rules: RetrainingRules, as_of: date) -> Iterator[Trigger]:
    every = rules.every_months
    if every is not None and Month.of(as_of) >= Month.of(champion.as_of).plus(every):
        said = f"The champion knows nothing after {champion.as_of}; the policy asks for a new one every {every} months."
        yield Trigger(TriggerKind.SCHEDULE, said, (champion.cited,))


def approval(champion: InForce, rule: ReReview, now: datetime) -> Iterator[Trigger]:
    """The first thing that the policy wants looked at again: without a new approval the model stops."""
    until = champion.approved_until
    if until is not None and now >= until - timedelta(days=rule.approval_days):
        yield Trigger(TriggerKind.RE_REVIEW, f"The champion's approval ends on {until:%Y-%m-%d}.", (champion.cited,))


def lasting(before: Sequence[Seen], rule: ReReview) -> Iterator[Trigger]:
    """The second: small findings that do not go away."""
    recent = before[: rule.lasting_months]
    if len(recent) < rule.lasting_months or not _in_a_row(recent):
        return
    if found := [finding for finding in _small(recent[0], rule) if all(_has(seen, finding) for seen in recent)]:
        said = f"For {rule.lasting_months} months in a row: {_texts(found)}"
        yield Trigger(TriggerKind.RE_REVIEW, said, tuple(seen.cited for seen in recent))


def _small(seen: Seen, rule: ReReview) -> list[Finding]:
    return [f for f in seen.report.verdict.findings if f.kind in rule.lasting and f.level is not Level.GREEN]


def _has(seen: Seen, like: Finding) -> bool:
    found = seen.report.verdict.findings
    return any((f.kind, f.subject) == (like.kind, like.subject) and f.level is not Level.GREEN for f in found)


def _in_a_row(reports: Sequence[Seen]) -> bool:
    """Newest first, no month left out, and all of the model that is in force now: another one begins anew."""
    newest = Month.parse(reports[0].report.month)
    return all(
        seen.report.month == str(newest.plus(-number)) and seen.report.bundle == reports[0].report.bundle
        for number, seen in enumerate(reports)
    )


def _citing(reports: Sequence[Seen], findings: Sequence[Finding]) -> tuple[Cited, ...]:
    return tuple(seen.cited for seen in reports if any(finding in seen.report.verdict.findings for finding in findings))


def _texts(findings: Sequence[Finding]) -> str:
    """The first two; the rest is in the report that is cited."""
    more = f" And {len(findings) - 2} more." if len(findings) > 2 else ""
    return " ".join(finding.text for finding in findings[:2]) + more
