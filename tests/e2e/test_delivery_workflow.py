"""The steps of the workflows that deliver and roll back a model, run here as they stand in their files, job by job."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.governance import release
from tests.bundles import MODEL
from tests.e2e.test_delivery import FIRST, REHEARSED, Chain
from tests.e2e.test_governance import Home

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
MADE_BEFORE = ("make setup", "make train", "make evidence")
"""What takes minutes: the environment is this one, and the home of dev has a champion with its evidence."""
JOBS = ["dev", "staging-receives", "staging", "production-canary", "production"]


class Runner:
    """As much of GitHub's runner as these workflows need: variables, artefacts, and one shell a step."""

    def __init__(self, workflow: str, chain: Chain, folder: Path) -> None:
        self.jobs: dict[str, Any] = {}
        self.workflow = yaml.safe_load((ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text())
        self.jobs = self.workflow["jobs"]
        self.homes = {"steward-dev": chain.dev, "steward-staging": chain.staging, "steward-production": chain.production}
        self.folder, self.kept = folder, folder / "artefacts"

    def run(self, job: str) -> str:
        """What its steps said; the last one says "exit code" if it failed."""
        work, temp, said = self._checked_out(job), self.folder / f"temp-{job}", []
        shutil.rmtree(temp, ignore_errors=True)
        temp.mkdir()
        home = self.homes[self.jobs[job]["runs-on"][1]]
        variables = {**self.workflow.get("env", {}), **self.jobs[job].get("env", {})}
        values = {name: self._filled(str(value), home, temp) for name, value in variables.items()}
        values |= {"RUNNER_TEMP": str(temp), "GITHUB_ENV": str(temp / "env"), "CI": "true"}
        for step in self.jobs[job]["steps"]:
            used, given = step.get("uses", "").split("@")[0], step.get("with", {})
            if used == "actions/upload-artifact":
                shutil.copytree(self._filled(given["path"], home, temp), self.kept / given["name"], dirs_exist_ok=True)
            elif used == "actions/download-artifact":
                shutil.copytree(self.kept / given["name"], work / given["path"])
            elif "run" in step and not step["run"].startswith(MADE_BEFORE):
                code, told = self._shell(step["run"], work, values)
                said.append(told)
                if code:
                    return "\n".join([*said, f"exit code {code}"])
        return "\n".join(said)

    def _shell(self, line: str, work: Path, values: dict[str, str]) -> tuple[int, str]:
        noted = Path(values["GITHUB_ENV"])
        more = dict(each.split("=", 1) for each in noted.read_text().splitlines()) if noted.exists() else {}
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("STEWARD_", "MAKE", "MFLAGS"))}
        done = subprocess.run(
            ["bash", "-e", "-c", line],
            cwd=work,
            env=outside | values | more,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def _filled(self, text: str, home: Home, temp: Path) -> str:
        known = {"github.actor": "k-ito", "github.run_id": "17", "vars.STEWARD_HOME": str(home.path), "runner.temp": str(temp)}
        return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: known[found[1]], text)

    def _checked_out(self, job: str) -> Path:
        """A working folder with this checkout in it."""
        work = self.folder / f"work-{job}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        for path in ROOT.iterdir():
            if path.name not in ("var", "dist", "parcel"):
                (work / path.name).symlink_to(path)
        return work


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    made = Chain(tmp_path)
    made.approver("ana")
    made.dev.champion(FIRST)
    return made


def in_force(home: Home) -> str:
    return release.champion(home.office, MODEL)


def test_the_jobs_follow_one_another(chain: Chain, tmp_path: Path) -> None:
    jobs = Runner("delivery", chain, tmp_path).jobs
    assert list(jobs) == JOBS
    assert [job.get("needs") for job in jobs.values()] == [None, *JOBS[:-1]]
    assert all(job["environment"] for job in jobs.values())


def staged(runner: Runner, chain: Chain) -> None:
    """Sent by dev, held in staging until somebody signed, and then promoted there."""
    for job in ("dev", "staging-receives"):
        assert "exit code" not in (told := runner.run(job)), told
    told = runner.run("staging")
    assert "Held: waiting for approval" in told
    assert told.endswith("exit code 2"), "make fails, so that the job does"
    assert in_force(chain.staging) == ""
    assert not (runner.kept / "from-staging").exists()

    signs = ("--bundle", FIRST.digest[:12], "--by", "ana", "--comment", "read all of it", "--accept", "no harm is done by it")
    chain.staging.run("approve", *signs, **REHEARSED, **chain.own)
    assert "exit code" not in (told := runner.run("staging")), told
    assert in_force(chain.staging) == FIRST.digest
    assert (runner.kept / "from-staging" / "statement.json").is_file()


def test_the_steps_of_the_workflow_wait_for_people_in_staging_and_go_on_once_they_signed(chain: Chain, tmp_path: Path) -> None:
    staged(Runner("delivery", chain, tmp_path), chain)


@pytest.mark.soak
def test_the_steps_of_the_workflows_bring_it_into_production_and_roll_back(chain: Chain, tmp_path: Path) -> None:
    runner = Runner("delivery", chain, tmp_path)
    staged(runner, chain)
    for job in ("production-canary", "production"):
        assert "exit code" not in (told := runner.run(job)), told
    assert in_force(chain.production) == FIRST.digest
    assert "ledger entries hold" in told

    back = Runner("rollback", chain, tmp_path).run("production")
    assert "had no champion before" in back
    assert back.endswith("exit code 2")
