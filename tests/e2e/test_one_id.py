"""One id leads from a run's log lines to its spans and to the ledger."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.adapters.file_ledger import FileLedger
from tests.integration.test_traces import collector

pytestmark = pytest.mark.integration


def test_log_lines_spans_and_ledger_entries_of_a_run_carry_one_id(tmp_path: Path) -> None:
    """Of September only: its status codes are new, so the ingest opens a hold, which stands in the ledger."""
    received: list[Any] = []
    with collector(received) as address:
        settings = {"STEWARD_HOME": str(tmp_path / "home"), "STEWARD_PIPELINES_TRACES": address}
        command = [sys.executable, "-m", "pipelines", "ingest", "--as-of", "2005-09-30"]
        run = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=200)
    assert run.returncode == 3, run.stdout + run.stderr
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    told = [line for line in lines if line["logger"] == "steward.flows"]
    assert [line["message"] for line in told] == ["step take in: done", "flow ingest: done"]
    (run_id,) = {line["run_id"] for line in told}
    spans = {span.name: span for _, span in received}
    assert {span.trace_id.hex() for span in spans.values()} == {line["trace_id"] for line in told}
    parents = {name: next((n for n, s in spans.items() if s.span_id == span.parent_span_id), "") for name, span in spans.items()}
    assert parents == {"command ingest": "", "flow ingest": "command ingest", "step take in": "flow ingest"}
    said = {each.key: each.value.string_value for each in spans["step take in"].attributes}
    assert said == {"steward.run_id": run_id}
    entries = FileLedger(tmp_path / "home" / "ledger.jsonl").entries()
    assert {entry.cause for entry in entries} == {run_id}
