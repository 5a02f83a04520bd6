"""The compose file: valid, current, and the same topology as the processes of `make up-local`."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from infra.topology import ports
from infra.topology.compose import FOLDER, OWN, USER, Containers, files
from infra.topology.containers import prepare
from infra.topology.description import Place
from infra.topology.services import services
from tests.unit.infra.places import NoPrograms

COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
CONTAINERS_OWN = {"POSTGRES_PASSWORD_FILE", "SECRETS", "STEWARD_MONITORING_ADDRESS", "STEWARD_MONITORING_NAMES"}
"""What only an image asks for, or whoever reaches into a container."""


def valid(text: str) -> None:
    """By the compose specification, which knows no variables where it wants a user. Raises `ValueError`."""
    PyCompose.from_yaml(text.replace(USER, "10001:10001"))


@pytest.mark.parametrize("name", files())
def test_what_lies_in_the_folder_is_what_the_description_gives(name: str) -> None:
    assert (FOLDER / name).read_text() == files()[name], "make compose-file"


def test_nothing_else_lies_there() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(files())


def test_the_compose_file_is_one_by_the_specification() -> None:
    valid((FOLDER / "compose.yaml").read_text())


@pytest.mark.parametrize(
    ("right", "wrong"), [("restart:", "restrat:"), ("service_healthy", "healthy"), ("read_only: true", "read_only: 7")]
)
def test_the_specification_finds_a_slip(right: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        valid((FOLDER / "compose.yaml").read_text().replace(right, wrong))


def test_containers_and_processes_are_the_same_services_with_the_same_ports_and_settings(tmp_path: Path) -> None:
    place = NoPrograms(tmp_path)
    local = {service.name: service for service in services(place) if not service.containers_only}
    assert COMPOSE["services"].keys() - {"grafana"} == local.keys()
    for name, service in local.items():
        contained = COMPOSE["services"][name]
        assert set(contained.get("depends_on", ())) == set(service.after)
        assert set(contained.get("secrets", ())) == set(service.secrets)
        told = {key: settled(value, place) for key, value in service.environment.items()}
        given = {key: settled(value, Containers()) for key, value in contained.get("environment", {}).items()}
        assert told.items() <= given.items(), name
        assert set(given) - set(told) <= CONTAINERS_OWN
        if service.published:
            assert contained["ports"] == [f"127.0.0.1:{ports.port(name)}:{ports.port(name)}"]


def settled(value: str, place: Place) -> str:
    """A setting without what differs between places: hosts and folders. Ports stay."""
    for name in ports.numbers():
        value = re.sub(rf"[\w.-]+:{place.port(name)}\b", f"HOST:{place.port(name)}", value)
    for folder in (place.secrets, place.home, *(place.data(service.name) for service in services(place))):
        value = value.replace(folder, "FOLDER")
    return "BIND" if value == place.bind else value


def test_whatever_a_service_refers_to_is_declared() -> None:
    for service in COMPOSE["services"].values():
        assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys()
        assert set(service.get("depends_on", ())) <= COMPOSE["services"].keys()
        sources = [volume.split(":")[0] for volume in service.get("volumes", ())]
        assert {source for source in sources if "/" not in source} <= COMPOSE["volumes"].keys()


def test_the_files_that_are_mounted_are_in_the_tree() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            if (source := volume.split(":")[0]).startswith("."):
                assert (FOLDER / source).exists(), source


def test_our_services_can_write_nothing_but_their_volumes_and_are_not_root() -> None:
    for name, service in COMPOSE["services"].items():
        if service["image"].removeprefix("steward-") in OWN:
            assert service["user"] == USER, name
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_everything_that_is_published_stays_on_this_machine() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_what_runs_as_nobody_owns_its_secrets(tmp_path: Path) -> None:
    told = prepare(tmp_path / "secrets")
    user = int(told["STEWARD_USER"].split(":")[0])
    assert user != 0
    assert {path.stat().st_uid for path in (tmp_path / "secrets").iterdir()} == {user}
    assert told["STEWARD_SECRETS"] == str(tmp_path / "secrets")
