"""checkov, in an environment of its own: it brings igraph, which is under the GPL, and so is in no lock of ours."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from infra.scanning import apart

WANTED = "checkov==3.3.30"
WHERE = Path(__file__).parents[1] / "var" / "checkov"

Finding = tuple[str, str]
"""A check, and the resource that fails it."""


def environment(where: Path = WHERE) -> Path:
    """Its program, made on first use; needs a package index."""
    return apart.environment(where, [WANTED]).with_name("checkov")


def scanned(files: Iterable[Path], framework: str) -> tuple[set[Finding], int]:
    """Whatever failed, and how many passed. Nothing is asked of a network."""
    named = [part for file in files for part in ("--file", str(file.resolve()))]
    command = [str(environment()), *named, "--framework", framework, "--output", "json", "--quiet", "--skip-download"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    report = json.loads(done.stdout)
    failed = {(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]}
    return failed, report["summary"]["passed"]


if __name__ == "__main__":
    sys.stdout.write(f"{environment()}\n")
