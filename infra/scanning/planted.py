"""`make scan`: keys and passwords that lie in the tree, also in files that git does not know yet, by detect-secrets."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = r"^(password|PASSWORD|guess|secrets?|steward-database|secrets/smtp_password|api_key_(issued|revoked))$"
"""Words of examples, and names of files and events, that stand where a secret could."""


def command(files: Sequence[str]) -> list[str]:
    """Digests are what this project speaks of, so long hexadecimal numbers are none; keys are PEM files, and passwords words."""
    hook = [sys.executable, "-m", "detect_secrets.pre_commit_hook", "--no-verify"]
    return [*hook, "--disable-plugin", "HexHighEntropyString", "--exclude-secrets", EXAMPLES, *files]


def in_the_tree(root: Path = ROOT) -> list[str]:
    """What is committed or would be: nothing that git ignores."""
    listed = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    named = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.splitlines()
    return [name for name in named if (root / name).is_file()]


if __name__ == "__main__":
    sys.exit(subprocess.run(command(in_the_tree()), check=False, cwd=ROOT).returncode)
