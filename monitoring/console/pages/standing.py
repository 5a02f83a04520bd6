"""How a model is, in one colour and one sentence: the worst of all that speaks against it, and never green by silence."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.governance.ledger import Hold
from models.governance.stop import Stop
from monitoring.alerts.alert import Alert
from monitoring.console.pages.releases import Release
from monitoring.console.sources import Trouble
from monitoring.report import MonthlyReport
from monitoring.verdict import Verdict, counted

UNKNOWN = "none"
WORSE = ("green", UNKNOWN, "amber", "red", "held")
"""From the best to the worst. Not to know is worse than green, and better than to know of something."""
_SEVERE = {"page": "red", "warning": "amber"}


@dataclass(frozen=True)
class Standing:
    level: str
    sentence: str


def standing(
    verdict: Verdict | None,
    weighed: Sequence[MonthlyReport] | Trouble,
    *,
    alerts: Sequence[Alert] | Trouble,
    stopped: Stop | Trouble | None,
    late: str | Trouble,
    champion: Release | Trouble | None,
    holds: Sequence[Hold] | Trouble,
) -> Standing:
    """`weighed` are the reports of the verdict, `alerts` the open ones, `late` says that nobody watched it for too long.

    `champion` is what is in force, `holds` what the ledger says is held.
    """
    levels, said = [verdict.level.value if verdict else UNKNOWN], []
    if silent := _silent(champion) if weighed else "":
        levels.append("red")
        said.append(silent)
    if isinstance(holds, Trouble):
        levels.append(UNKNOWN)
        said.append(f"What is held is not known: {holds.problem}.")
    elif holds:
        levels.append("amber")
        if not _told(holds, verdict):
            said.append(f"Retraining is held: {counted(len(holds), 'hold')} for a person.")
    if isinstance(stopped, Stop):
        levels.append("red")
        said.append("A person stopped the model.")
    if isinstance(alerts, Trouble):
        levels.append(UNKNOWN)
        said.append("Whether an alert is open is not known.")
    elif alerts:
        levels += [_SEVERE.get(alert.severity, "amber") for alert in alerts]
        said.append(f"{counted(len(alerts), 'alert')} {'is' if len(alerts) == 1 else 'are'} open.")
    if late or isinstance(stopped, Trouble):
        levels.append(UNKNOWN)
    if late:
        said.append(f"How it is now is not known: {late.problem if isinstance(late, Trouble) else late}.")
    level = max(levels, key=WORSE.index)
    return Standing(level, " ".join([*said, _month(verdict, weighed)]))


def _told(holds: Sequence[Hold], verdict: Verdict | None) -> bool:
    """Whether the month's own sentence says it already."""
    told = {finding.subject for finding in verdict.findings if finding.kind == "hold"} if verdict else set()
    return all(hold.month in told for hold in holds)


def _silent(champion: Release | Trouble | None) -> str:
    """Why a model that was watched cannot answer; "" where it can. A champion that cannot be read is told as `late`."""
    if champion is None:
        return "No version is in force: it does not answer."
    if isinstance(champion, Trouble):
        return ""
    if isinstance(champion.approval, Trouble):
        return f"Nobody's approval of version {champion.pointer.version} holds: {champion.approval.problem}."
    if champion.expired:
        return f"The approval of version {champion.pointer.version} has ended: it does not answer."
    return ""


def _month(verdict: Verdict | None, weighed: Sequence[MonthlyReport] | Trouble) -> str:
    """What was found, with the months and the versions that it is about."""
    if isinstance(weighed, Trouble):
        return f"What the months were like is not known: {weighed.problem}."
    if verdict is None:
        return "No month has been reported on yet."
    versions = {report.version for report in weighed}
    if len(versions) == 1:
        return f"{' and '.join(report.month for report in weighed)}, decided by version {versions.pop()}: {verdict.sentence}"
    about = " and ".join(f"{report.month}, decided by version {report.version}" for report in weighed)
    return f"{about}: {verdict.sentence}"
