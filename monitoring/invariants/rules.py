"""The rules that look at a month's invariants. What breaks one is red at once: it is no drift, something is wrong."""

from statistics import median

from models.alerting import Objectives
from models.policy import MonitoringLimits
from monitoring.invariants.figures import Invariants, Service, Unit
from monitoring.verdict import Finding, Kind, Level, counted

FEWEST_MONTHS = 2
"""Months before that say how many decisions are usual."""
FEWEST_FAILURES = 5
"""Failed requests that are no chance."""
_ALIKE = 2.0  # how far the quartiles' ratios may lie apart if one factor is to explain them


def broken(found: Invariants, month: str, limits: MonitoringLimits, objectives: Objectives) -> list[Finding]:
    """Every rule. Shares are asked about only where there are as many rows as the policy needs for statistics."""
    enough = found.rows >= limits.minimum_rows
    return [
        *volume(found, month, limits),
        *(repeated(found, month, limits) if enough else []),
        *(stuck(found, month, limits) if enough else []),
        *skewed(found, month, limits),
        *not_reproduced(found, month),
        *(constant(found, limits) if enough else []),
        *(finding for unit in found.units for finding in rescaled(unit, limits)),
        *(service(found.service, objectives) if found.service else []),
    ]


def volume(found: Invariants, month: str, limits: MonitoringLimits) -> list[Finding]:
    if len(found.before) < FEWEST_MONTHS:
        return []
    usual, (low, high) = median(found.before), limits.volume_ratio
    if low * usual <= found.decisions <= high * usual:
        return []
    passed = high if found.decisions > usual else low
    text = f"{counted(found.decisions, 'decision')} in {month}; {usual:,.0f} are usual (limit: {passed:g} times as many)."
    return [_red("volume", month, text, found.decisions / usual, passed)]


def repeated(found: Invariants, month: str, limits: MonitoringLimits) -> list[Finding]:
    """The same batch twice, or two truths about one account."""
    said = []
    same, other = (number / found.rows for number in (found.repeats.same, found.repeats.other))
    if same > limits.repeated:
        text = f"{_share(same)} of the decisions repeat an account of {month} with the same inputs: a batch came twice."
        said.append(_red("duplicate_batch", month, text, same, limits.repeated))
    if other > limits.repeated:
        text = f"{_share(other)} of the decisions are on an account of {month} that was decided on before, with other inputs."
        said.append(_finding("repeated_accounts", Level.AMBER, month, text, other, limits.repeated))
    return said


def stuck(found: Invariants, month: str, limits: MonitoringLimits) -> list[Finding]:
    """Last month's file under this month's name."""
    before = found.carried
    if before is None or before.accounts < limits.minimum_rows:
        return []
    share = before.unchanged / before.accounts
    if share <= limits.stuck:
        return []
    text = f"{_share(share)} of the accounts have every input as in {before.month}: last month's file came again."
    return [_red("stuck_upstream", month, text, share, limits.stuck)]


def skewed(found: Invariants, month: str, limits: MonitoringLimits) -> list[Finding]:
    """What the service was asked about, against what the lake has of the same accounts."""
    skew = found.skew
    if skew is None or not skew.differing or (share := skew.differing / skew.compared) <= limits.skewed:
        return []
    most = max(skew.by_input, key=lambda name: skew.by_input[name], default="")
    where = f", most of all {most}" if most else ""
    text = (
        f"{counted(skew.differing, 'decision')} ({_share(share)}) were made on other inputs than the lake has of these accounts"
        f"{where}; the lake's would move a probability by up to {skew.moved:.3f}."
    )
    return [_red("skew", month, text, share, limits.skewed)]


def not_reproduced(found: Invariants, month: str) -> list[Finding]:
    """Training and serving run one graph: not a single probability may differ."""
    again = found.recomputed
    if not again.differing:
        return []
    text = (
        f"{again.differing:,} of {again.rows:,} probabilities came out otherwise when the bundle's graph ran again"
        f" (by up to {again.largest:.2g})."
    )
    return [_red("not_reproduced", month, text, again.differing, 0)]


def constant(found: Invariants, limits: MonitoringLimits) -> list[Finding]:
    if found.sanity.share <= limits.constant_score:
        return []
    text = f"{_share(found.sanity.share)} of the decisions have one and the same probability, {found.sanity.most_common:.4g}."
    return [_red("constant_score", "probability", text, found.sanity.share, limits.constant_score)]


def rescaled(unit: Unit, limits: MonitoringLimits) -> list[Finding]:
    """All quartiles moved by about the same large factor: no portfolio does that, a unit does."""
    lowest, highest = min(unit.ratios), max(unit.ratios)
    alike = lowest > 0 and highest <= _ALIKE * lowest
    if not alike or not (lowest >= limits.unit_factor or highest <= 1 / limits.unit_factor):
        return []
    typical = sorted(unit.ratios)[1]
    factor = f"{float(f'{max(typical, 1 / typical):.1g}'):,.0f}"
    times = f"{factor} times" if typical > 1 else f"a {factor}th of"
    text = f"{unit.name} is about {times} what it was at training, at every quartile: it may not be in {unit.unit} any more."
    return [_red("unit_change", unit.name, text, typical, limits.unit_factor)]


def service(found: Service, objectives: Objectives) -> list[Finding]:
    """Against what is promised. Since the service was started; Prometheus knows of the last minutes."""
    said, allowed = [], 1 - objectives.availability
    if found.failed >= FEWEST_FAILURES and found.failed > allowed * found.requests:
        share = found.failed / found.requests
        text = f"{counted(found.failed, 'request')} of {found.requests:,} failed ({_share(share)}; promised: {_share(allowed)})."
        said.append(_red("errors", "service", text, share, allowed))
    slow, may = found.timed - found.quick, 1 - objectives.quick
    if slow >= FEWEST_FAILURES and slow > may * found.timed:
        text = (
            f"{_share(slow / found.timed)} of the answers took more than {1000 * found.limit_seconds:g} ms"
            f" (promised: {_share(may)}); the 99th percentile is below {1000 * found.p99_seconds:g} ms."
        )
        said.append(_finding("latency", Level.AMBER, "service", text, slow / found.timed, may))
    if found.late:
        text = f"{counted(found.late, 'decision')} of the service wait for the log: its database is slow or away for minutes."
        said.append(_red("unrecorded", "service", text, found.late, 0))
    return said


def _share(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def _red(kind: Kind, subject: str, text: str, value: float, limit: float) -> Finding:
    return _finding(kind, Level.RED, subject, text, value, limit)


def _finding(kind: Kind, level: Level, subject: str, text: str, value: float, limit: float) -> Finding:
    return Finding(kind=kind, level=level, subject=subject, text=text, value=value, limit=limit)
