"""Writes the dashboards beside it: `python infra/grafana/build.py`. What they show stands below, a line for each query.

Grafana reads JSON that nobody wants to read or merge; this is the part of it that says something.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = {"type": "prometheus", "uid": "steward"}
WIDTH, HEIGHT = 24, 7


@dataclass(frozen=True)
class Panel:
    """`queries` are expressions with their legends. `kind` is Grafana's: timeseries, stat or table."""

    title: str
    about: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8


RATE = "[$__rate_interval]"

SERVICE = [
    Panel("Ready", "1 if requests can be answered.", (("min(steward_ready)", ""),), kind="stat", width=4),
    Panel(
        "Availability, 30 days",
        "Objective: 99.9 % of scoring requests without an error of the service.",
        (
            (
                (
                    '1 - sum(increase(steward_responses_total{status=~"5.."}[30d]))'
                    ' / sum(increase(steward_responses_total{status!="0"}[30d]))'
                ),
                "",
            ),
        ),
        "percentunit",
        "stat",
        4,
    ),
    Panel(
        "Within a tenth of a second, 30 days",
        "Objective: 99 %.",
        (
            (
                (
                    'sum(increase(steward_stage_seconds_bucket{stage="whole",le="0.1"}[30d]))'
                    ' / sum(increase(steward_stage_seconds_count{stage="whole"}[30d]))'
                ),
                "",
            ),
        ),
        "percentunit",
        "stat",
        4,
    ),
    Panel(
        "Decisions in the spool",
        "Answered, and on their way to the log.",
        (("sum(steward_spool_decisions)", ""),),
        kind="stat",
        width=4,
    ),
    Panel("Wrong at the last look", "/health/ready names it.", (("max(steward_problems)", ""),), kind="stat", width=4),
    Panel(
        "Workers replaced, 1 day",
        "They hung, or ended.",
        (("sum by (why) (increase(steward_workers_replaced_total[1d]))", "{{why}}"),),
        kind="stat",
        width=4,
    ),
    Panel(
        "Requests by status",
        "Scoring requests; 0: the client had gone.",
        ((f"sum by (status) (rate(steward_responses_total{RATE}))", "{{status}}"),),
        "reqps",
    ),
    Panel("Decisions", "By action.", ((f"sum by (action) (rate(steward_decisions_total{RATE}))", "{{action}}"),), "cps"),
    Panel(
        "Time of a request",
        "From its head to its answer.",
        tuple(
            (f'histogram_quantile({q}, sum by (le) (rate(steward_stage_seconds_bucket{{stage="whole"}}{RATE})))', f"p{q * 100:g}")
            for q in (0.5, 0.95, 0.99)
        ),
        "s",
    ),
    Panel(
        "Where the time goes",
        "Deciding, and waiting for the log.",
        (
            (
                (
                    f'sum by (stage) (rate(steward_stage_seconds_sum{{stage!="whole"}}{RATE}))'
                    f' / sum by (stage) (rate(steward_stage_seconds_count{{stage!="whole"}}{RATE}))'
                ),
                "{{stage}}",
            ),
        ),
        "s",
    ),
    Panel(
        "Error budget burnt",
        "1 is the rate that uses up 30 days' budget in 30 days; alerts begin at 14.4, 6 and 1.",
        (("steward:failed:ratio_rate1h / 0.001", "errors, 1 h"), ("steward:slow:ratio_rate1h / 0.01", "slow, 1 h")),
    ),
    Panel("In flight", "Requests that are not answered yet.", (("sum(steward_in_flight)", ""),)),
    Panel(
        "Probabilities decided on",
        "Median and the tenth on either side, by model.",
        tuple(
            (f"histogram_quantile({q}, sum by (model, le) (rate(steward_score_bucket{RATE})))", f"{{{{model}}}} p{q * 100:g}")
            for q in (0.1, 0.5, 0.9)
        ),
        "percentunit",
    ),
    Panel(
        "Answers for a reason",
        "A fallback for a stopped champion; a person's review because the input is unfamiliar.",
        (
            (f'sum by (model) (rate(steward_decisions_total{{fallback="true"}}{RATE}))', "{{model}} fallback"),
            (f'sum by (model) (rate(steward_decisions_total{{unfamiliar="true"}}{RATE}))', "{{model}} unfamiliar"),
        ),
        "cps",
    ),
    Panel(
        "Memory and processor",
        "Of the process that was asked.",
        (('process_resident_memory_bytes{job="serving"}', "memory"),),
        "bytes",
    ),
    Panel(
        "What answers",
        "Champions in force, and what the channel did not confirm.",
        (("steward_model", "{{model}} {{version}}"), ("steward_model_stale", "{{model}} stale")),
        kind="table",
        width=12,
    ),
    Panel(
        "Approval ends",
        "Days until the approval of what answers ends.",
        (("(steward_model_approval_ends_seconds - time()) / 86400", "{{model}}"),),
        "d",
        "stat",
        12,
    ),
]

PLATFORM = [
    Panel(
        "Verdict",
        "0 green, 1 amber, 2 red, 3 held; of the newest month reported on.",
        (("steward:verdict", "{{model}}"),),
        kind="stat",
        width=4,
    ),
    Panel(
        "Alerts open",
        "Of the monitoring: pages and warnings.",
        (("sum by (severity) (steward:alerts_open)", "{{severity}}"),),
        kind="stat",
        width=4,
    ),
    Panel(
        "Past their deadline", "Alerts that nobody acknowledged.", (("sum(steward:alerts_overdue)", ""),), kind="stat", width=4
    ),
    Panel("Holds", "Retraining waits for a person.", (("steward:holds_waiting", "{{model}}"),), kind="stat", width=4),
    Panel("Stopped", "By a person.", (("steward:model_halted", "{{model}}"),), kind="stat", width=4),
    Panel("Ledger", "Number of its newest entry; it only grows.", (("steward:ledger_head", ""),), kind="stat", width=4),
    Panel(
        "Age",
        "Days since each last came.",
        (
            ("(time() - steward:decisions_recorded_seconds) / 86400", "{{model}} decision"),
            ("(time() - steward:report_recorded_seconds) / 86400", "{{model}} report"),
            ("(time() - steward:labels_recorded_seconds) / 86400", "{{model}} outcomes"),
            ("(time() - steward:champion_published_seconds) / 86400", "{{model}} champion"),
        ),
        "d",
    ),
    Panel("Alerts by kind", "Open ones.", (("steward:alerts_open > 0", "{{model}} {{kind}} {{severity}}"),), kind="table"),
    Panel(
        "Retrainings this month",
        "That the platform began by itself, and the policy's most.",
        (("steward:retrainings_begun", "{{model}} begun"), ("steward:retrainings_allowed", "{{model}} allowed")),
    ),
    Panel(
        "Runs that ended", "A day.", (("sum by (flow, ending) (increase(steward_flow_runs_total[1d]))", "{{flow}} {{ending}}"),)
    ),
    Panel("How long the newest run took", "By flow.", (("max by (flow) (steward_flow_seconds)", "{{flow}}"),), "s"),
    Panel(
        "Runs open and late",
        "Begun and not ended; due and not begun.",
        (("steward:flow_runs_open", "{{flow}} open"), ("steward:flow_runs_late", "{{flow}} late")),
    ),
    Panel("Last run failed", "1 if so.", (("steward:flow_failed", "{{flow}}"),)),
    Panel("Last good run", "Hours ago.", (("(time() - max by (flow) (steward_flow_good_seconds)) / 3600", "{{flow}}"),), "h"),
    Panel(
        "Cannot be read", "1: damaged, tampered with, or away; its numbers are missing.", (("steward:unreadable", "{{source}}"),)
    ),
    Panel(
        "Console: requests",
        "By page.",
        ((f'sum by (page) (rate(steward_console_responses_total{{page!="/metrics"}}{RATE}))', "{{page}}"),),
        "reqps",
    ),
    Panel(
        "Console: time of a page",
        "Nineteen of twenty are quicker.",
        (
            (
                f'histogram_quantile(0.95, sum by (page, le) (rate(steward_console_seconds_bucket{{page!="/metrics"}}{RATE})))',
                "{{page}}",
            ),
        ),
        "s",
    ),
    Panel(
        "Releases of the platform",
        "By process.",
        (("steward_build_info", "{{job}} {{version}} on Python {{python}}"),),
        kind="table",
    ),
    Panel(
        "Prometheus reaches",
        "1: its numbers came.",
        (('up{job=~"serving|console|schedules"}', "{{job}}"),),
        kind="stat",
        width=24,
    ),
]

DASHBOARDS = {"service": ("Steward: the scoring service", SERVICE), "platform": ("Steward: models and platform", PLATFORM)}


def built(name: str) -> dict[str, Any]:
    title, panels = DASHBOARDS[name]
    return {
        "uid": f"steward-{name}",
        "title": title,
        "tags": ["steward"],
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "schemaVersion": 39,
        "panels": list(_placed(panels)),
    }


def _placed(panels: list[Panel]) -> Any:
    """From left to right, and down where a line is full."""
    x = y = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > WIDTH:
            x, y = 0, y + HEIGHT
        yield _panel(number, panel) | {"gridPos": {"x": x, "y": y, "w": panel.width, "h": HEIGHT}}
        x += panel.width


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    table = {"instant": True, "format": "table"} if panel.kind == "table" else {}
    targets = [
        {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": expression, "legendFormat": legend or "__auto"} | table
        for place, (expression, legend) in enumerate(panel.queries)
    ]
    defaults = {"unit": panel.unit} | ({"min": 0} if panel.kind == "timeseries" else {})
    about = {"id": number, "type": panel.kind, "title": panel.title, "description": panel.about, "datasource": SOURCE}
    return about | {"fieldConfig": {"defaults": defaults, "overrides": []}, "targets": targets}


def text(name: str) -> str:
    return json.dumps(built(name), indent=1) + "\n"


if __name__ == "__main__":
    for each in DASHBOARDS:
        (FOLDER / f"{each}.json").write_text(text(each))
