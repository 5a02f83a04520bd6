"""The commands for more rows than a laptop's example has: generate them, score them."""

from argparse import Namespace
from time import perf_counter

from pipelines.commands.loop import Ended
from pipelines.engine import engine
from pipelines.scoring.run import Summary
from pipelines.wiring import platform


def generate(chosen: Namespace) -> Ended:
    parts = platform(use_case=chosen.model or "")
    generator = parts.generator
    recipe = generator.recipe(chosen.rows, [chosen.month] if chosen.month else [], chosen.seed, chosen.jitter)
    place = chosen.output or str(parts.settings.home / "generated" / f"{chosen.rows}")
    began = perf_counter()
    found = generator.write(recipe, place, chosen.processes or parts.settings.workers)
    took = perf_counter() - began
    print(f"{found.rows:,} account-months in {found.parts} parts, {found.made} of them made now in {took:.1f} s: {place}")
    if chosen.fidelity:
        print("\n".join(generator.fidelity(recipe).lines()))
    print(f"Next: make score INPUT={place}/snapshots OUTPUT={place}/scored")
    return Ended.DONE


def score(chosen: Namespace) -> Ended:
    parts = platform(use_case=chosen.model or "")
    began = perf_counter()
    with engine(parts, verbose=chosen.verbose) as flows:
        found = flows.score(
            month=str(chosen.month or ""),
            source=chosen.input,
            output=chosen.output,
            use_case=parts.use_case.name,
            label=chosen.label,
        )
    print("\n".join(_lines(found, perf_counter() - began)))
    if found.refused:
        print(f"{found.refused:,} rows were refused, each with its reason: {found.quarantine}")
        return Ended.HELD
    return Ended.DONE


def _lines(found: Summary, took: float) -> list[str]:
    plan = found.plan
    told = ", ".join(f"{action} {count:,}" for action, count in found.counts.items() if count)
    versions = ", ".join(f"version {version}: {parts}" for version, parts in sorted(found.versions.items()))
    return [
        f"{plan.model}: {plan.rows:,} rows in {len(plan.parts)} parts, {found.now} of them done now in {took:.1f} s",
        f"  {told or 'no rows'}; parts by {versions or 'nobody'}",
        f"  answers   {plan.output}",
        f"  decisions {plan.run}-0 and on, in the decision log",
    ]
