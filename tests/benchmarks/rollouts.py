"""Canaries whose truth is known: false alarms of all sequential tests together, and power for drops in favourable decisions.

    make simulate-rollouts                       (or python -m tests.benchmarks.rollouts --rollouts 10000 --write docs/rollout.md)

The rates are the example's own: its champion keeps 65.6 % and reduces 13.8 % of its reference accounts. Everything is seeded.
Two minutes on one core. With --write, the table between the two marks of that file is replaced.
"""

import argparse
import sys
from dataclasses import dataclass
from math import pi, sin
from pathlib import Path
from time import perf_counter

import numpy as np
from scipy.stats import binomtest

from models.guardrails import Guardrails, accounts_needed
from monitoring.rollout.simulation import BINS, GROUPS, Arms, Plan, World, first_alarms

EXAMPLE = World(keep=0.656, reduce=0.138)
LIMITS = Guardrails(favourable_rate=EXAMPLE.keep, score_edges=tuple(place / BINS for place in range(1, BINS)))
NEVER_DIFFERENT = Arms([(EXAMPLE, EXAMPLE)])
BEGIN, END = "<!-- simulated -->", "<!-- /simulated -->"

SHARES = (0.1, 0.2, 0.5)
DROPS = (0.03, 0.05, 0.10, 0.20)
EVERY = 50
PORTFOLIO = 30_000


def changing(phases: int = 12) -> Arms:
    """Both arms alike at every time, and the times not: up to a fifth more or fewer are kept, reduced or failed."""
    worlds = [
        World(
            keep=EXAMPLE.keep + 0.12 * sin(2 * pi * phase / phases),
            reduce=EXAMPLE.reduce - 0.06 * sin(2 * pi * phase / phases),
            failures=0.002 + 0.02 * (phase == phases // 2),
        )
        for phase in range(phases)
    ]
    return Arms([(world, world) for world in worlds])


@dataclass(frozen=True)
class FalseAlarms:
    """Of roll-outs in which nothing was different, with the exact 95 % interval (Clopper & Pearson 1934)."""

    rollouts: int
    alarms: int

    @property
    def share(self) -> float:
        return self.alarms / self.rollouts

    @property
    def interval(self) -> tuple[float, float]:
        found = binomtest(self.alarms, self.rollouts).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)


def false_alarms(arms: Arms, share: float, plan: Plan) -> FalseAlarms:
    found = first_alarms(arms, LIMITS, share, plan)
    return FalseAlarms(plan.rollouts, int(np.count_nonzero(found)))


def found_after(drop: float, share: float, plan: Plan) -> np.ndarray:
    """By roll-out: after how many accounts a drop of this size was found; infinity for not within the plan."""
    found = first_alarms(Arms([(EXAMPLE, EXAMPLE.less_favourable(drop))]), LIMITS, share, plan).astype(float)
    return np.where(found > 0, found, np.inf)


def table(rollouts: int, powered: int) -> str:
    some = max(powered // 4, 10)
    return "\n".join([*_null(rollouts), "", *_power(powered), "", *_larger(some), "", *_one_group(some)])


def _null(rollouts: int) -> list[str]:
    lines = [
        f"False alarms of the whole family, {PORTFOLIO:,} accounts a roll-out, looked at after every {EVERY}:",
        "",
        "| nothing is different | share of the canary | roll-outs | alarms | share of alarms (exact 95 % interval) |",
        "|---|---|---|---|---|",
    ]
    for seed, (name, arms, share) in enumerate(
        (
            ("equal rates all the time", NEVER_DIFFERENT, 0.2),
            ("equal rates that change with time", changing(), 0.5),
            ("equal rates that change with time, small canary", changing(), 0.05),
        )
    ):
        found = false_alarms(arms, share, Plan(rollouts, PORTFOLIO, EVERY, seed))
        low, high = found.interval
        lines.append(f"| {name} | {share} | {rollouts:,} | {found.alarms} | {found.share:.2%} ({low:.2%} to {high:.2%}) |")
    return lines


def _power(rollouts: int) -> list[str]:
    lines = [
        f"A drop of two points, from {EXAMPLE.keep:.1%} favourable ({rollouts:,} roll-outs each, looked at after every 100):",
        "",
        "| share of the canary | accounts needed, both arms | found by then (exact 95 %) | half are found after | 80 % after |",
        "|---|---|---|---|---|",
    ]
    for seed, share in enumerate(SHARES):
        needed = accounts_needed(LIMITS.drop, EXAMPLE.keep, share)
        found = found_after(LIMITS.drop, share, Plan(rollouts, needed // 100 * 100, 100, 100 + seed))
        power = FalseAlarms(rollouts, int(np.count_nonzero(np.isfinite(found))))
        low, high = power.interval
        half, most = np.quantile(found, [0.5, 0.8], method="lower")
        lines.append(f"| {share} | {needed:,} | {power.share:.1%} ({low:.1%} to {high:.1%}) | {half:,.0f} | {most:,.0f} |")
    return lines


def _larger(rollouts: int) -> list[str]:
    names = " | ".join(f"{100 * drop:.0f} points" for drop in DROPS)
    lines = [
        f"Larger drops, and the median of the accounts until the alarm ({rollouts:,} roll-outs each, a look every {EVERY}):",
        "",
        f"| share of the canary | {names} |",
        f"|---{'|---' * len(DROPS)}|",
    ]
    for seed, share in enumerate(SHARES):
        needed = accounts_needed(LIMITS.drop, EXAMPLE.keep, share) // EVERY * EVERY
        medians = [np.median(found_after(drop, share, Plan(rollouts, needed, EVERY, 200 + seed))) for drop in DROPS]
        lines.append(f"| {share} | {' | '.join(f'{median:,.0f}' for median in medians)} |")
    return lines


def _one_group(rollouts: int) -> list[str]:
    """Nobody else is harmed, so the whole drops by the group's part of it."""
    share, plan = 0.5, Plan(rollouts, PORTFOLIO * 2, 100, 300)
    lines = [
        f"Twenty points fewer in one group alone, share of the canary {share} ({rollouts:,} roll-outs each, a look every 100):",
        "",
        "| share of the accounts in the group | half are found after | found within 60,000 accounts |",
        "|---|---|---|",
    ]
    for group, of in list(enumerate(GROUPS))[1:]:
        arms = Arms([(EXAMPLE, EXAMPLE.less_favourable_within(group, 0.20))])
        found = first_alarms(arms, LIMITS, share, plan).astype(float)
        half = np.quantile(np.where(found > 0, found, np.inf), 0.5, method="lower")
        lines.append(f"| {of} | {half:,.0f} | {np.mean(found > 0):.1%} |")
    return lines


def replaced(page: str, text: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"the page has no place for the table: {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{text}\n{mark}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.rollouts", description="Canaries whose truth is known.")
    parser.add_argument("--rollouts", type=int, default=10_000, help="in which nothing is different")
    parser.add_argument("--powered", type=int, default=2_000, help="in which something is")
    parser.add_argument("--write", type=Path, default=None, help="a Markdown file with the two marks")
    chosen = parser.parse_args()
    started = perf_counter()
    text = table(chosen.rollouts, chosen.powered)
    print(text)
    print(f"\n{perf_counter() - started:.0f} s", file=sys.stderr)
    if chosen.write:
        chosen.write.write_text(replaced(chosen.write.read_text(), text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
