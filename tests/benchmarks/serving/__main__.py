"""Steward's service, measured side by side with others that answer with the same model.

    make bench-serving                          (or python -m tests.benchmarks.serving --rounds 3 --seconds 5)
    make bench-serving ARGS=--mlserver          with MLServer, given the same graph
    make bench-serving ARGS=--light             no record is reduced, and Steward answers before it records (mode async)

Reads the champion of `STEWARD_HOME` (default `var`) and works in a copy. Every server runs alone; within a round the
servers follow one another in a new order, and the rounds repeat, so that a busy minute hits all of them. One fifth of the
records are reduced by the model and carry reasons (none with --light). Steward checks the contract, gives reasons and
commits every decision to its log before it answers; the others do none of that. MLflow is there twice: `mlflow` serves the
same trees as teams log them, behind pandas and a scikit-learn pipeline, and so does the tutorial; `mlflow-graph` our graph.
Probabilities are compared before anything is timed. Prints medians
over the rounds with the range, and ratios; writes both as Markdown with --write.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from models.errors import PlatformError
from tests.benchmarks.serving.compare import compare, table
from tests.benchmarks.serving.material import ADVERSE, Material
from tests.benchmarks.serving.servers import mlserver, servers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serving", description="Steward beside its peers.")
    parser.add_argument("--home", type=Path, default=None, help="where the champion lies; default STEWARD_HOME or var")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    named = "of steward mlflow tutorial mlflow-graph constant bare"
    parser.add_argument("--only", nargs="*", default=[], help=named)
    parser.add_argument("--mlserver", action="store_true", help="with MLServer, in an environment made below var/benchmarks")
    parser.add_argument("--light", action="store_true", help="no record is reduced; Steward in the mode async")
    parser.add_argument("--write", type=Path, default=None, help="a Markdown file for the table")
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="steward-bench-") as folder:
        try:
            material = Material.gather(chosen.home, Path(folder), 0.0 if chosen.light else ADVERSE)
        except PlatformError as error:
            print(error, file=sys.stderr)
            return 1
        known = servers(material, answered_first=chosen.light)
        known += [mlserver(material, Path("var/benchmarks/mlserver"))] if chosen.mlserver else []
        competing = [server for server in known if not chosen.only or server.name in chosen.only]
        found = compare(competing, material, rounds=chosen.rounds, seconds=chosen.seconds)
    titles = {server.name: server.title for server in competing}
    text = table(found, titles, material, rounds=chosen.rounds, seconds=chosen.seconds)
    print(text)
    if chosen.write:
        chosen.write.write_text(text + "\n")
        print(f"wrote {chosen.write}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
