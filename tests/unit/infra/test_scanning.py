"""The scans notice what they are for."""

import subprocess
import sys
from pathlib import Path
from typing import Never

import pytest
from pip_audit._service import ServiceError

from infra.scanning import planted
from infra.scanning.audit import ROOT, answers, command, locks, unsound

LINT = str(Path(sys.executable).parent / "actionlint")


def test_every_lock_is_audited_and_one_that_fails_hides_no_other() -> None:
    asked: list[str] = []

    def run(words: list[str]) -> int:
        asked.append(Path(words[-1]).name)
        return int(asked[-1] in ("console.lock", "requirements.lock"))

    assert unsound(locks(), run) == ["console.lock", "requirements.lock"]
    known = subprocess.run(["git", "ls-files", "*.lock"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert sorted(asked) == sorted(Path(name).name for name in known.stdout.split())


def test_an_accepted_vulnerability_is_named_and_everything_else_stays_strict() -> None:
    words = command(Path("a.lock"), {"PYSEC-2026-1": "we never parse what it is about"})
    assert words[words.index("--ignore-vuln") + 1] == "PYSEC-2026-1"
    assert {"--strict", "--require-hashes", "--disable-pip"} <= set(words)


def test_a_file_that_git_does_not_know_yet_is_looked_at_and_one_that_it_ignores_is_not(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("new.py", "own.py"):
        (tmp_path / name).write_text("")
    (tmp_path / ".gitignore").write_text("own.py\n")
    assert planted.in_the_tree(tmp_path) == [".gitignore", "new.py"]


def test_who_does_not_tell_of_vulnerabilities_is_not_taken_for_good_news() -> None:
    def unreached(_: object) -> Never:
        raise TimeoutError

    def of_another_kind(_: object) -> Never:
        raise ServiceError

    assert not answers(lambda asked: (asked, [])), "a mirror, which knows of none"
    assert not answers(unreached)
    assert not answers(of_another_kind)
    assert answers(lambda asked: (asked, ["PYSEC-2014-8"]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'key = "AKIA{"IOSFODNN7EXAMPLQ"}"\n', True),
        (f"-----BEGIN {'PRIVATE'} KEY-----\n", True),
        (f'password = "{"correct-horse"}"\n', True),
        ('password = "guess"\ndigest = "af36211f57585cff1a7a788ef3e0d52a"\n', False),
    ],
)
def test_a_secret_in_a_file_is_found_and_examples_and_digests_are_none(text: str, found: bool, tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text(text)
    done = subprocess.run(planted.command([str(file)]), capture_output=True, text=True, check=False, timeout=60)
    assert bool(done.returncode) is found, done.stdout


def test_bandit_finds_what_the_linter_does_not_know(tmp_path: Path) -> None:
    file = tmp_path / "asks.py"
    file.write_text("import xmlrpc.client\n")
    words = [sys.executable, "-m", "bandit", "--quiet", "--configfile", str(ROOT / "pyproject.toml"), str(file)]
    assert subprocess.run(words, capture_output=True, check=False, timeout=60).returncode == 1


@pytest.mark.parametrize(
    ("right", "slip"),
    [("github.ref ", "github.reff "), ("ubuntu-24.04", "ubuntu-99"), ("github.ref ", "github.event.head_commit.message ")],
)
def test_actionlint_finds_a_slip_in_a_workflow(right: str, slip: str, tmp_path: Path) -> None:
    """The last one lets whoever writes a commit message write a command."""
    sound = (ROOT / ".github" / "workflows" / "ci.yml").read_text().replace("bash .ci/run #", "echo ${{ github.ref }} #")
    for text, found in ((sound, False), (sound.replace(right, slip), True)):
        (tmp_path / "ci.yml").write_text(text)
        done = subprocess.run([LINT, "ci.yml"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert bool(done.returncode) is found, done.stdout


def test_every_shell_script_of_the_tree_is_read_by_the_linter() -> None:
    known = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    heads = {name: (ROOT / name).read_bytes().split(b"\n")[0] for name in known if (ROOT / name).is_file()}
    scripts = [name for name, head in heads.items() if head.startswith(b"#!") and head.endswith(b"sh")]
    listed = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("SCRIPTS "))
    assert sorted(listed.split("=")[1].split()) == sorted(scripts)


def test_what_watches_over_the_checks_is_there_itself() -> None:
    watching = (ROOT / "tests" / "unit" / "infra" / "test_coverage.py").read_text()
    for name in ("every_file_is_named_by_a_check", "every_check_is_there_and_ci_runs_it", "every_workflow_is_there"):
        assert f"def test_{name}" in watching
