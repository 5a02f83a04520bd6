"""Known vulnerabilities of everything that the lock files name, by pip-audit: `make audit`.

The answer comes from PyPI. Where that cannot be reached, or is a mirror that does not tell of vulnerabilities, nothing was
audited, and that is said: it fails with `--required`, as in the workflow, and nowhere else.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.version import Version
from pip_audit._service import PyPIService, ResolvedDependency, ServiceError

VULNERABLE = ResolvedDependency("jinja2", Version("2.4.1"))
"""Known to be: whoever tells nothing of it tells of no vulnerabilities."""
PATIENCE = 20
ROOT = Path(__file__).resolve().parents[2]
ACCEPTED: Mapping[str, str] = {}
"""Vulnerabilities that do not concern us, each by its id with the reason. pip-audit still names every other."""


def locks(root: Path = ROOT) -> list[Path]:
    """Every lock that anything is installed from."""
    return sorted([*root.glob("requirements*.lock"), *root.glob("infra/images/*.lock")])


Query = Callable[[Any], tuple[Any, Sequence[Any]]]
"""pip-audit's own question to a service: of one package, what it is and what is known of it."""


def answers(query: Query) -> bool:
    """Whether somebody there tells of vulnerabilities."""
    try:
        return bool(query(VULNERABLE)[1])
    except (ServiceError, OSError):  # not reached, or no answer of its kind
        return False


def command(lock: Path, accepted: Mapping[str, str] = ACCEPTED) -> list[str]:
    """Of what the lock names and nothing else; `--strict`: what cannot be asked about is a failure."""
    audit = [sys.executable, "-m", "pip_audit", "--strict", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    ignored = [word for known in accepted for word in ("--ignore-vuln", known)]
    return [*audit, *ignored, "--requirement", str(lock)]


def unsound(found: Sequence[Path], run: Callable[[list[str]], int]) -> list[str]:
    """The locks that did not pass; every lock is looked at."""
    failed = []
    for lock in found:
        print(f"-- {lock.name}", flush=True)
        if run(command(lock)):
            failed.append(lock.name)
    return failed


def main() -> int:
    if not answers(PyPIService(timeout=PATIENCE).query):
        print("PyPI does not tell of vulnerabilities here: nothing was audited", file=sys.stderr)
        return int("--required" in sys.argv)
    failed = unsound(locks(), lambda asked: subprocess.run(asked, check=False).returncode)
    if failed:
        print(f"audit: {', '.join(failed)} did not pass\n  -> raise the bound in pyproject.toml, then make lock", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
