"""One description of the services, and what is made of it."""

import configparser
import shlex
import stat
from pathlib import Path

import pytest

from infra.topology import ports, secret_files
from infra.topology.description import Service
from infra.topology.scraping import prometheus
from infra.topology.services import DATABASES, REPLICAS, platform, services
from infra.topology.supervised import LocalPlace, here, supervisord
from tests.unit.infra.places import NoPrograms


@pytest.fixture
def place(tmp_path: Path) -> LocalPlace:
    return NoPrograms(tmp_path, 9100)


@pytest.fixture
def described(place: LocalPlace) -> tuple[Service, ...]:
    return services(place)


def test_every_port_is_of_the_block_and_of_nobody_else(described: tuple[Service, ...]) -> None:
    numbers = list(ports.numbers().values())
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) == ports.FIRST
    assert max(numbers) < ports.FIRST + ports.SIZE
    assert {service.name for service in described if service.listens} <= set(ports.numbers())


def test_a_service_waits_only_for_services_that_come_before_it(described: tuple[Service, ...]) -> None:
    seen = set[str]()
    for service in described:
        assert seen.issuperset(service.after), service.name
        seen.add(service.name)


def test_each_database_has_a_user_of_its_own_and_each_service_one_password_at_most(described: tuple[Service, ...]) -> None:
    users = {service.name: [name for name in service.secrets if name.startswith("pgpass_")] for service in described}
    assert all(len(found) <= 1 for found in users.values())
    assert {name for found in users.values() for name in found} == {f"pgpass_{name}" for name in DATABASES}


def test_supervisord_is_told_of_every_process_as_it_is_described(place: LocalPlace) -> None:
    told = configparser.ConfigParser(interpolation=None)
    told.read_string(supervisord(place, here(place)))
    programs = {name.removeprefix("program:") for name in told.sections() if name.startswith("program:")}
    assert programs == {service.name for service in services(place) if not service.containers_only}
    for service in here(place):
        assert tuple(shlex.split(told[f"program:{service.name}"]["command"].replace("%%", "%"))) == service.command
        assert all(
            f'{name}="{value}"' in told[f"program:{service.name}"]["environment"] for name, value in service.environment.items()
        )


def test_whoever_may_open_the_supervisor_is_its_owner(place: LocalPlace) -> None:
    assert "chmod=0600" in supervisord(place, here(place))
    assert "inet_http_server" not in supervisord(place, here(place))


def test_prometheus_looks_at_every_service_that_has_numbers_and_at_each_replica(place: LocalPlace) -> None:
    found = prometheus(place, here(place), "rules/*.yml")
    targets = {target for job in found["scrape_configs"] for target in job["static_configs"][0]["targets"]}
    assert targets == {f"127.0.0.1:{place.port(service.metrics)}" for service in here(place) if service.metrics}
    (serving,) = [job for job in found["scrape_configs"] if job["job_name"] == "serving"]
    assert len(serving["static_configs"][0]["targets"]) == len(REPLICAS)


def test_secrets_are_their_owners_alone_and_stay_what_they_are(place: LocalPlace) -> None:
    folder = Path(place.secrets)
    secret_files.make(folder)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    (folder / "pgpass_mlflow").unlink()
    secret_files.make(folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


def test_no_secret_is_in_a_command_a_setting_or_the_supervisors_file(place: LocalPlace, described: tuple[Service, ...]) -> None:
    secret_files.make(Path(place.secrets))
    kept = [Path(place.secrets) / name for name in ("postgres_mlflow", "postgres_decisions", "postgres_superuser", "store_key")]
    said = repr(described) + supervisord(place, here(place)) + repr(platform(place))
    assert all(path.read_text().strip() not in said for path in kept)
    assert {name for service in described for name in service.secrets} <= {path.name for path in Path(place.secrets).iterdir()}
