"""The service of this commit beside that of another one, in turns on the same machine: what did a change cost?

    make bench-base                             BASE=origin/main by default
    python -m tests.benchmarks.base --base HEAD~1 --rounds 5 --seconds 3

Checks the other commit out beside this one and runs `tests.benchmarks.serving --only steward` in either, with the champion of
`STEWARD_HOME` and the environment of this commit. A round measures both, in an order that changes: a busy minute hits both.
Prints the ratio of each figure, this commit to the other, as the median over the rounds with the range. Fails where even the best
round is slower by more than --limit: less than that is noise on a shared machine.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1.15
HIGHER_IS_BETTER = "requests/s"
FIGURES = ("p50, 1 client", "16 clients", "p99", HIGHER_IS_BETTER, "batch of 1,000", "cold start", "memory")
Measured = Mapping[str, float]


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A working tree of a commit, away again afterwards."""
    with TemporaryDirectory(prefix="steward-base-") as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "--quiet", "--detach", str(tree), commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(tree)], check=True)


def read(table: str) -> Measured:
    """The figures of one server from the table that the benchmark writes, by their heading. Raises `ValueError` without one."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]
    if len(rows) < 3:
        raise ValueError("the benchmark wrote no table")
    told = dict(zip(rows[0], rows[2], strict=True))
    return {name: float(re.sub("[^0-9.].*", "", told[name].replace(",", ""))) for name in FIGURES if told.get(name)}


def measure(tree: Path, home: Path, seconds: float) -> Measured:
    with TemporaryDirectory() as folder:
        table = Path(folder) / "table.md"
        asked = ["--only", "steward", "--rounds", "1", "--seconds", str(seconds), "--home", str(home), "--write", str(table)]
        benchmark = [sys.executable, "-m", "tests.benchmarks.serving", *asked]
        subprocess.run(benchmark, cwd=tree, check=True, stdout=subprocess.DEVNULL)  # the folder where it runs comes first
        return read(table.read_text())


def in_turns(rounds: int, here: Callable[[], Measured], there: Callable[[], Measured]) -> list[tuple[Measured, Measured]]:
    """Both in every round, the first of them the other way round in every second."""
    found = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        if number % 2:
            ours, theirs = here(), there()
        else:
            theirs, ours = there(), here()
        found.append((ours, theirs))
    return found


def slower(name: str, found: Sequence[tuple[Measured, Measured]]) -> list[float]:
    """By what factor this commit is slower, larger or rarer than the other, round by round; above 1 is worse."""
    ratios = [ours[name] / theirs[name] for ours, theirs in found]
    return [1 / ratio for ratio in ratios] if name == HIGHER_IS_BETTER else ratios


def report(found: Sequence[tuple[Measured, Measured]], limit: float) -> tuple[list[str], list[str]]:
    """The table, and the figures that are worse than the limit in every single round."""
    lines, worse = ["| figure | other | this | times worse (lowest to highest) |", "|---|---|---|---|"], []
    for name in (each for each in FIGURES if all(each in side for pair in found for side in pair)):
        ratios = slower(name, found)
        ours, theirs = median(pair[0][name] for pair in found), median(pair[1][name] for pair in found)
        lines.append(f"| {name} | {theirs:g} | {ours:g} | {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}) |")
        worse += [name] if min(ratios) > limit else []
    return lines, worse


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.base", description="This commit beside another one.")
    parser.add_argument("--base", default="origin/main", help="the other commit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--limit", type=float, default=LIMIT, help="times worse, in every round, that is a failure")
    chosen = parser.parse_args()
    home = Path(os.environ.get("STEWARD_HOME", "var")).resolve()
    with checked_out(chosen.base) as tree:
        found = in_turns(chosen.rounds, lambda: measure(ROOT, home, chosen.seconds), lambda: measure(tree, home, chosen.seconds))
    lines, worse = report(found, chosen.limit)
    print(f"{chosen.rounds} rounds, {chosen.seconds:g} s a measurement, beside {chosen.base}.\n")
    print("\n".join(lines))
    if worse:
        print(f"worse than {chosen.limit:g} times in every round: {', '.join(worse)}", file=sys.stderr)
    return int(bool(worse))


if __name__ == "__main__":
    sys.exit(main())
