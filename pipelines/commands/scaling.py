"""The commands for more rows than a laptop's example has: generate them, score them."""

from argparse import Namespace
from time import perf_counter

from pipelines.commands.loop import Ended
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
