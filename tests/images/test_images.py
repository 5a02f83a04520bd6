"""The images as they are run: nobody's root, nothing to write, small, and answering."""

import json
import os
import re
import subprocess
import time
import tomllib
from threading import Event

import httpx
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from infra.images.contents import bill
from infra.images.engine import IMAGES, ROOT, Podman
from tests.bundles import real_bundle, record
from tests.e2e.test_schedule import free_port
from tests.helm import environment
from tests.images.conftest import Build
from tests.readers import shared_folder
from tests.running import SCORE, Service

pytestmark = [pytest.mark.images, pytest.mark.timeout(1_800)]

USER = 10_001
MOST = 350e6


@pytest.fixture(params=IMAGES)
def image(request: pytest.FixtureRequest, built: Build) -> tuple[str, str]:
    """What is deployed, and the name of its image."""
    return request.param, built(request.param)


@pytest.mark.parametrize("name", IMAGES)
def test_hadolint_finds_nothing_in_an_image_file(name: str) -> None:
    file = str(ROOT / "infra" / "images" / f"{name}.Dockerfile")
    found = subprocess.run([str(environment().parent / "hadolint"), file], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_an_image_says_its_commit_is_not_root_and_can_tell_whether_it_is_well(image: tuple[str, str], podman: Podman) -> None:
    _, made = image
    assert re.search(r'"org.opencontainers.image.revision":"[0-9a-f]{40}"', podman.inspect(made, "json .Labels"))
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
        "console": "monitoring.__main__, monitoring.migrate",
        "pipelines": "infra.backup.__main__, pipelines.__main__, pipelines.flows, pipelines.adapters.mlflow_registry, lightgbm",
    }[image[0]]
    options = ["--env", "PREFECT_HOME=/tmp/prefect", "--env", "MPLCONFIGDIR=/tmp/matplotlib"]
    done = subprocess.run(
        podman.run(image[1], "python", "-c", f"import {modules}", options=options), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_image_knows_the_version_that_its_numbers_say(image: tuple[str, str], podman: Podman) -> None:
    told = "from monitoring.telemetry.build import build; print(build())"
    done = subprocess.run(podman.run(image[1], "python", "-c", told), capture_output=True, text=True, check=False)
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] in done.stdout, done.stderr


def test_the_bill_of_materials_names_every_library_of_the_lock_and_debian_s_packages(
    image: tuple[str, str], podman: Podman
) -> None:
    said = bill(podman, image[1], "0" * 40)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(said) is None
    parts = json.loads(said)["components"]
    python = {(normal(each["name"]), each["version"]) for each in parts if each.get("purl", "").startswith("pkg:pypi/")}
    debian = {each["name"] for each in parts if each.get("purl", "").startswith("pkg:deb/")}
    assert locked(image[0]) <= python
    assert {"libc6", "python3.11", "libssl3"} <= debian
    assert not {"gcc", "pip", "make", "git"} & (debian | {name for name, _ in python})


def locked(deployable: str) -> set[tuple[str, str]]:
    """Name and version of what its lock installs on Debian 12."""
    lines = (ROOT / "infra" / "images" / f"{deployable}.lock").read_text().splitlines()
    wanted = [Requirement(line.strip(" \\")) for line in lines if "==" in line and not line.startswith((" ", "#"))]
    there = {"python_version": "3.11", "python_full_version": "3.11.2"}
    return {(normal(each.name), str(each.specifier)[2:]) for each in wanted if not each.marker or each.marker.evaluate(there)}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_image_of_serving_is_small_and_answers_with_what_the_channel_holds(podman: Podman, built: Build) -> None:
    made = built("serving")
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
            numbers = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30, trust_env=False)
            assert "steward_build_info" in numbers.text, numbers.text
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
