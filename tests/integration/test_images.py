"""The images as they are run: nobody's root, nothing to write, small, and answering."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest

from infra.images.engine import IMAGES, ROOT, Podman, missing
from tests.bundles import real_bundle, record
from tests.e2e.test_schedule import free_port
from tests.helm import environment
from tests.readers import shared_folder
from tests.running import SCORE, Service

pytestmark = [pytest.mark.images, pytest.mark.timeout(1_800)]

USER = 10_001
MOST = 350e6
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    """Skips where there is nothing to build with; CI installs it, so there it fails."""
    lacking = missing()
    if os.geteuid() != 0 or (lacking and not os.environ.get("CI")):
        pytest.skip(f"images are built as root, with {', '.join(lacking) or 'podman'}")
    assert not lacking, lacking
    kept = os.environ.get("IMAGE_STORE")
    with shared_folder() as folder:
        made = Podman(Path(kept).resolve() if kept else folder / "images")
        made.make_bases()
        try:
            yield made
        finally:
            if not kept:
                subprocess.run(made.command("system", "reset", "--force"), check=True, capture_output=True)


@pytest.fixture(scope="module", params=IMAGES)
def image(request: pytest.FixtureRequest, podman: Podman) -> tuple[str, str]:
    """What is deployed, and the name of its image."""
    return request.param, podman.build(request.param, COMMIT)


@pytest.mark.parametrize("name", IMAGES)
def test_hadolint_finds_nothing_in_an_image_file(name: str) -> None:
    file = str(ROOT / "infra" / "images" / f"{name}.Dockerfile")
    found = subprocess.run([str(environment().parent / "hadolint"), file], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_an_image_says_its_commit_is_not_root_and_can_tell_whether_it_is_well(image: tuple[str, str], podman: Podman) -> None:
    _, made = image
    assert podman.inspect(made, "json .Labels").count(COMMIT) == 1
    assert podman.inspect(made, ".User") == "10001:10001"
    assert "python" in podman.inspect(made, "json .HealthCheck")


def test_an_image_has_no_compiler_and_no_installer(image: tuple[str, str], podman: Podman) -> None:
    said = subprocess.run(
        podman.run(image[1], "sh", "-c", "command -v gcc cc make pip pip3 git; true"), capture_output=True, text=True, check=True
    )
    assert said.stdout == ""


def test_nothing_in_an_image_can_be_written(image: tuple[str, str], podman: Podman) -> None:
    done = subprocess.run(podman.run(image[1], "sh", "-c", "touch /opt/steward/x"), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr


def test_every_module_of_a_deployable_loads_in_its_image(image: tuple[str, str], podman: Podman) -> None:
    modules = {
        "serving": "serving.__main__, serving.adapters.otlp, serving.adapters.signed_tokens",
        "console": "monitoring.__main__",
        "pipelines": "pipelines.__main__, pipelines.flows, pipelines.adapters.mlflow_registry, boto3",
    }[image[0]]
    options = ["--env", "PREFECT_HOME=/tmp/prefect", "--env", "MPLCONFIGDIR=/tmp/matplotlib"]
    done = subprocess.run(
        podman.run(image[1], "python", "-c", f"import {modules}", options=options), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_image_of_serving_is_small_and_answers_with_what_the_channel_holds(podman: Podman) -> None:
    made = podman.build("serving", COMMIT)
    assert int(podman.inspect(made, ".Size")) < MOST
    with shared_folder() as home:
        Service(home).promote(real_bundle(), version=1)
        for path in (home, *home.rglob("*")):
            os.chown(path, USER, USER)
        port = free_port()
        volume = ["--volume", f"{home}:/var/lib/steward", "--env", f"STEWARD_SERVING_PORT={port}", "--name", f"serving-{port}"]
        container = subprocess.Popen(podman.run(made, options=volume), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            answer = asked(port, container)
            assert answer.status_code == 200, answer.text
            assert answer.json()["version"] == 1
            subprocess.run(podman.command("healthcheck", "run", f"serving-{port}"), check=True, capture_output=True)
        finally:
            subprocess.run(podman.command("stop", "--time", "60", f"serving-{port}"), check=True, capture_output=True)
            container.communicate(timeout=60)


def asked(port: int, container: subprocess.Popen[bytes]) -> httpx.Response:
    deadline = time.monotonic() + 120
    with httpx.Client(timeout=30, trust_env=False) as client:
        while True:
            try:
                answer = client.post(f"http://127.0.0.1:{port}{SCORE}", json=record())
            except httpx.TransportError:
                answer = httpx.Response(503)
            if answer.status_code != 503 or time.monotonic() > deadline or container.poll() is not None:
                return answer
            Event().wait(0.2)


def test_the_lock_of_an_image_is_part_of_the_whole_lock() -> None:
    whole = (ROOT / "requirements.lock").read_text()
    for name in IMAGES:
        lock = (ROOT / "infra" / "images" / f"{name}.lock").read_text()
        assert all(line.split(";")[0].strip(" \\") in whole for line in lock.splitlines() if line), f"make lock ({name})"
