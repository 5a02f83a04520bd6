"""Measure, and write docs/scale.md: `python -m tests.benchmarks.scale [--rows 100000,1000000,10000000] [--write]`.

Needs a champion (`make train`). Each figure is taken in a process of its own, on two cores; results are kept in
`var/benchmarks/scale/results.json`, so sizes can be measured one by one. Spark is measured where it is there.
"""

import argparse
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.scale.measures import MOST, WHAT
from tests.benchmarks.scale.metering import Figures
from tests.benchmarks.scale.page import BEGIN, END, OPENED, page
from tests.benchmarks.scale.places import FOLDER

PAGE, RESULTS = Path("docs/scale.md"), FOLDER / "results.json"
SIZES = (100_000, 1_000_000, 10_000_000)
Results = dict[str, dict[int, Figures]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default=",".join(map(str, SIZES)))
    parser.add_argument("--only", default="", help="names of what to measure, separated by commas")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/scale.md")
    parser.add_argument("--no-measure", dest="measure", action="store_false", help="only put the page together")
    chosen = parser.parse_args()
    wanted = chosen.only.split(",") if chosen.only else [name for name in WHAT if _possible(name)]
    found = kept()
    for rows in map(int, chosen.rows.split(",")) if chosen.measure else ():
        for name in wanted:
            if rows > MOST.get(name, rows):
                continue
            count = OPENED if name == "opened" else rows
            command = [sys.executable, "-m", "tests.benchmarks.scale.measures", name, str(count)]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            figures = json.loads(told.stdout.splitlines()[-1])
            found.setdefault(name, {})[count] = figures
            took = f"{figures['seconds']:8.1f} s  {figures['cpu']:8.1f} s CPU  {figures['peak']:6.2f} GB"
            print(f"{name:20} {count:>11,}  {took}", flush=True)
            RESULTS.write_text(json.dumps(found, indent=1))
    text = page(found)
    if chosen.write:
        whole = PAGE.read_text()
        PAGE.write_text(f"{whole.split(BEGIN)[0]}{BEGIN}\n{text}\n{END}{whole.split(END)[1]}")
    else:
        print(text)
    return 0


def kept() -> Results:
    if not RESULTS.exists():
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        return {}
    return {
        name: {int(rows): figures for rows, figures in each.items()} for name, each in json.loads(RESULTS.read_text()).items()
    }


def _possible(name: str) -> bool:
    return not name.startswith(("spark", "cluster")) or bool(find_spec("pyspark") and shutil.which("java"))


if __name__ == "__main__":
    sys.exit(main())
