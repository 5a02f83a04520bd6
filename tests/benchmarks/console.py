"""When the console's pages are first painted, with twelve months of reports and ten million decisions.

    python -m tests.benchmarks.console [--decisions 10000000] [--write]

A home is written once to `var/benchmarks/console`: twelve months of reports on 23 inputs, and a decision log of so many rows
in SQLite. Then the real console is started, and headless Chromium opens each page with nothing kept: the first time, and three
times more. Noted is the browser's own `first-contentful-paint`. With `--write` the table in docs/console.md is written anew.
"""

import argparse
import os
import shutil
import sqlite3
import statistics
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from models.clock import Month, end_of_day
from monitoring.adapters.report_folder import ReportFolder
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.report import MonthlyReport
from tests import monitored_home
from tests.consoles import served

FOLDER = Path("var") / "benchmarks" / "console"
PAGE, BEGIN, END = Path("docs/console.md"), "<!-- benchmark -->", "<!-- end of benchmark -->"
MONTHS, INPUTS, TIMES, TARGET = 12, 23, 3, 1.0
MODEL = monitored_home.MODEL
DECISION = "0000000000000000000000000000002a-0"
PAGES = {
    "Today": "/",
    "a model": f"/models/{MODEL}",
    "Approvals": "/approvals",
    "Alerts": "/alerts",
    "Reports": "/reports",
    "one month's report": f"/models/{MODEL}/reports/2006-05",
    "Features": f"/models/{MODEL}/features",
    "one feature": f"/models/{MODEL}/features/input_03",
    "a decision": f"/decisions/{DECISION}",
    "Runs": "/runs",
}
PAINTED = """() => new Promise(done => new PerformanceObserver(
  list => list.getEntriesByName("first-contentful-paint").forEach(entry => done(entry.startTime))
).observe({type: "paint", buffered: true}))"""
ROWS = """
INSERT INTO decisions (
  decision_id, model, version, bundle, account_id, month, inputs, probability, action, recorded_at, request_id
)
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)
SELECT
  printf('%032x-0', i), ?, 2, ?, printf('a%031d', i % 100000), printf('2005-%02d', 1 + i % 12),
  '{"credit_limit": 30000.0, "status_0": 0, "bill_0": 30000.0}', (i % 1000) / 1000.0, 'keep',
  '2005-10-01T00:00:00.000000+00:00', printf('%032x', i)
FROM n
"""


def write(home: Path, decisions: int) -> None:
    shutil.rmtree(home, ignore_errors=True)
    keys = monitored_home.write(home, b"<!doctype html><title>a page</title>")
    folder = ReportFolder(home / "reports")
    seen = folder.read(keys[1])  # matured, with an estimate
    shutil.rmtree(home / "reports")
    month = Month(2005, 6)
    for _ in range(MONTHS):
        folder.add(_like(seen, month), {"drift.html": b"<!doctype html><title>a page</title>"})
        month = month.plus(1)
    made = SqlDecisionLog(f"sqlite:///{(home / 'decisions.db').resolve()}")
    made.ping()
    made.close()
    with sqlite3.connect(home / "decisions.db") as log:
        log.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        log.execute(ROWS, (decisions, MODEL, seen.bundle))


def _like(seen: MonthlyReport, month: Month) -> MonthlyReport:
    inputs = tuple(seen.inputs[n % len(seen.inputs)].model_copy(update={"name": f"input_{n:02d}"}) for n in range(INPUTS))
    at = end_of_day(month.last_day).isoformat()
    return seen.model_copy(update={"month": str(month), "recorded_at": at, "inputs": inputs})


def painted(browser: Browser, base: str, path: str) -> float:
    """Seconds from the click to the first thing that is seen."""
    with browser.new_context(base_url=base, viewport={"width": 1300, "height": 900}) as context:
        page = context.new_page()
        answer = page.goto(path, wait_until="commit")
        assert answer, path
        assert answer.ok, f"{path}: {answer.status}"
        return float(page.evaluate(PAINTED)) / 1_000


def measured(home: Path) -> list[tuple[str, float, float]]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with served(home) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"])
        painted(browser, base, "/sign-in")  # the browser's own start is not the console's
        return [_row(browser, base, name, path) for name, path in PAGES.items()]


def _row(browser: Browser, base: str, name: str, path: str) -> tuple[str, float, float]:
    first, *more = (painted(browser, base, path) for _ in range(1 + TIMES))
    return name, first, statistics.median(more)


def table(rows: list[tuple[str, float, float]], decisions: int) -> str:
    load = os.getloadavg()[0]
    lines = [f"{decisions:,} decisions, {MONTHS} months; load of the machine {load:.1f}, on two cores.", ""]
    lines += ["| Page | First painted after, the first time | Median of three more |", "|---|---:|---:|"]
    lines += [f"| {name} | {first:.2f} s | {again:.2f} s |" for name, first, again in rows]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=10_000_000)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    write(FOLDER, chosen.decisions)
    rows = measured(FOLDER)
    text = table(rows, chosen.decisions)
    print(text)
    if chosen.write:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")
    shutil.rmtree(FOLDER)
    return 0 if all(max(times) < TARGET for _, *times in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
