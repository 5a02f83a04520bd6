"""The policy's own limits: errors, latency, agreement. No test, since no chance is asked about: the figure itself is limited."""

from models.guardrails import Guardrails
from monitoring.rollout.findings import Finding, Standing, e_valued, milliseconds, percent
from monitoring.rollout.losses import evidence
from monitoring.rollout.observations import Pairs, Service


def errors(control: Service, canary: Service, limits: Guardrails) -> list[Finding]:
    """How often the canary fails, and how much more often than the control at the same time."""
    rate, rise = canary.error_rate, canary.error_rate - control.error_rate
    asked = f"{canary.errors:,} of {canary.requests:,} requests to the challenger failed ({percent(rate)}"
    compared = f"{percent(rate)} of the challenger's requests failed, {percent(control.error_rate)} of the champion's"
    return [
        Finding(
            name="error_rate",
            standing=_standing(canary.requests, limits, holds=rate <= limits.error_rate),
            text=f"{asked}; at most {percent(limits.error_rate)} may).{_few(canary.requests, limits)}",
            value=rate,
            limit=limits.error_rate,
        ),
        Finding(
            name="error_rise",
            standing=_standing(min(control.requests, canary.requests), limits, holds=rise <= limits.error_rise),
            text=f"{compared}; the difference may be {100 * limits.error_rise:g} points."
            f"{_few(min(control.requests, canary.requests), limits)}",
            value=rise,
            limit=limits.error_rise,
        ),
    ]


def latency(control: Service, canary: Service, limits: Guardrails) -> list[Finding]:
    """The canary's latency over the control's: both ran at the same time on the same machine, so load is in both."""
    requests, timed = min(control.requests, canary.requests), min(control.timed, canary.timed)
    few = f"{timed:,} of the {limits.smallest_requests:,} that it needs were timed"
    return [
        _slower("latency_p50", "half of the requests", (control.p50, canary.p50), limits.latency_p50, requests, few, limits),
        _slower("latency_p99", "99 of 100 requests", (control.p99, canary.p99), limits.latency_p99, requests, few, limits),
    ]


def agreement(pairs: Pairs, limits: Guardrails) -> Finding:
    """On accounts that both scored. It counts whoever is treated otherwise, in whichever direction."""
    share = pairs.agreement
    return Finding(
        name="agreement",
        standing=_standing(pairs.accounts, limits, holds=share >= limits.agreement),
        text=f"Of {pairs.accounts:,} accounts that both scored, {percent(share)} get the same action; at least "
        f"{percent(limits.agreement)} must.{_few(pairs.accounts, limits)}",
        value=share,
        limit=limits.agreement,
    )


def drop(pairs: Pairs, limits: Guardrails) -> Finding:
    """In shadow the drop is counted on the same accounts. Before as many were seen as a promotion takes, only evidence that it is
    more than allowed ends anything, however often one looks; then the figure itself is limited."""
    was, now = (count / max(pairs.accounts, 1) for count in (pairs.champion_favourable, pairs.challenger_favourable))
    e_value, enough = evidence(pairs, limits.drop), 1 / limits.false_alarms
    told, standing = _weighed(pairs, limits, proven=e_value >= enough)
    return Finding(
        name="favourable",
        standing=standing,
        text=f"The challenger favours {percent(now)} of the accounts, the champion {percent(was)} of the same; at most "
        f"{100 * limits.drop:g} points fewer are allowed (e-value {e_valued(e_value)}; more is proven at {enough:g}).{told}",
        value=pairs.drop,
        limit=limits.drop,
        e_value=e_value,
        e_limit=enough,
    )


def _weighed(pairs: Pairs, limits: Guardrails, *, proven: bool) -> tuple[str, Standing]:
    if proven:
        return " That is proven to be more.", Standing.OUTSIDE
    if pairs.accounts >= limits.smallest_accounts:
        return (
            f" The figure counts, on {pairs.accounts:,} accounts.",
            Standing.WITHIN if pairs.drop <= limits.drop else Standing.OUTSIDE,
        )
    if pairs.drop > limits.drop:
        return f" More may be chance; on {limits.smallest_accounts:,} accounts the figure counts.", Standing.INSUFFICIENT
    return _few(pairs.accounts, limits), _standing(pairs.accounts, limits, holds=True)


def _slower(
    name: str, of: str, seconds: tuple[float | None, float | None], limit: float, requests: int, timed: str, limits: Guardrails
) -> Finding:
    control, canary = seconds
    if not control or canary is None:
        return Finding(
            name=name, standing=Standing.INSUFFICIENT, text=f"How soon {of} are answered is not known: {timed}.", limit=limit
        )
    ratio = canary / control
    text = (
        f"The challenger answers {of} within {milliseconds(canary)}, the champion within {milliseconds(control)}: "
        f"{ratio:.2f} times as long, at most {limit:g} is allowed.{_few(requests, limits)}"
    )
    return Finding(name=name, standing=_standing(requests, limits, holds=ratio <= limit), text=text, value=ratio, limit=limit)


def _standing(count: int, limits: Guardrails, *, holds: bool) -> Standing:
    if count < limits.smallest_requests:
        return Standing.INSUFFICIENT
    return Standing.WITHIN if holds else Standing.OUTSIDE


def _few(count: int, limits: Guardrails) -> str:
    least = limits.smallest_requests
    return "" if count >= least else f" Too few to judge: {count:,} of the {least:,} that it needs."
