"""The services as containers: `python -m infra.topology.compose` writes what lies in `infra/compose`.

Between containers a service has its name as its host; ports, settings and order are those of the supervised processes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from infra.topology import ports
from infra.topology.description import POSTGRESQL, TCP, Service, address
from infra.topology.scraping import prometheus
from infra.topology.services import ARCHIVE, services

FOLDER = Path(__file__).parents[1] / "compose"
GRAFANA = FOLDER.parent / "grafana" / "provisioning" / "datasources"
HEAD = "# Written by `make compose-file` from infra/topology/services.py. Change that, not this.\n"
OWN = ("serving", "pipelines", "console")
"""Images that are built here; the others are their makers', by version."""
IMAGES = {
    "postgres": "postgres:18.6-bookworm",
    "store": "chrislusf/seaweedfs:4.48",
    "proxy": "haproxy:2.6-bookworm",
    "prometheus": "prom/prometheus:v2.42.0",
    "alertmanager": "prom/alertmanager:v0.25.0",
    "grafana": "grafana/grafana:12.3.0",
}
USER = "${STEWARD_USER:?run make up}"
"""Whose the secrets are. Every service runs as this user, so that nobody else need read them, and none is root."""
VOLUMES = "volumes"
"""A container that runs first and ends: it gives the volumes to that user, as Docker gives them to root or to an image's user."""
SCRAPER = "prometheus_api_key"
"""The secret with which Prometheus asks the replicas: in containers they answer nobody without a key."""
PATIENCE = "240s"
"""The first start fills three databases."""
_PROGRAMS = {
    "weed": "weed",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "haproxy": "haproxy",
    "postgres": "postgres",
}
_ENTRY_IS_THE_PROGRAM = ("weed", "prometheus", "alertmanager")
"""Images whose entry point is the program itself: their command begins with its arguments."""
_DATA = {"postgres": "/var/lib/postgresql", ARCHIVE: "/var/lib/postgresql/archive", "grafana": "/var/lib/grafana"}
"""PostgreSQL's user can write to its own volume, so the archive is in it, too."""
_LOGS = {"store": ("-logtostderr=true",)}  # else it writes files that nobody finds
_CONFIGS = {name: f"/docker-entrypoint-initdb.d/{name}" for name in ("databases.sql", "passwords.sql")}
"""The image runs them once, in the order of their names."""
_MOUNTED = {
    "archive.sh": "../postgres/archive.sh",
    "databases.sql": "../postgres/databases.sql",
    "passwords.sql": "../postgres/passwords.sql",
    "haproxy.cfg": "../haproxy/haproxy.cfg",
    "kept.yml": "../alertmanager/kept.yml",
    "prometheus.yml": "./prometheus.yml",
}


class Containers:
    """The place of the compose file."""

    bind = "0.0.0.0"  # noqa: S104, inside a container; nothing but `published` leaves it, to loopback
    home = "/var/lib/steward"
    secrets = "/run/secrets"

    def program(self, name: str) -> tuple[str, ...]:
        return () if name in _ENTRY_IS_THE_PROGRAM else (_PROGRAMS.get(name, name),)

    def host(self, service: str) -> str:
        return service

    def port(self, name: str) -> int:
        return ports.port(name)

    def data(self, service: str) -> str:
        return _DATA.get(service, f"/var/lib/{service}")

    def config(self, name: str) -> str:
        return _CONFIGS.get(name, f"/etc/steward/{name}")


def compose() -> dict[str, Any]:
    place = Containers()
    described = services(place)
    kept = [service.name for service in described if service.keeps_data]
    secrets = sorted({name for service in described for name in _secrets(service)})
    return {
        "name": "steward",
        "services": {VOLUMES: _owner(["home", *kept]), **{service.name: _container(place, service) for service in described}},
        "volumes": {name: {} for name in ["home", *kept]},
        "secrets": {name: {"file": f"${{STEWARD_SECRETS:?run make up}}/{name}"} for name in secrets},
    }


def _owner(volumes: list[str]) -> dict[str, Any]:
    """root may do one thing here, and reaches nobody."""
    folders = {name: f"/volumes/{name}" for name in volumes}
    return {
        **_image("serving"),
        "restart": "no",
        "user": "0:0",
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "cap_add": ["CHOWN"],
        "security_opt": ["no-new-privileges:true"],
        "command": ["chown", USER, *folders.values()],
        "volumes": [f"{name}:{folder}" for name, folder in folders.items()],
        "healthcheck": {"disable": True},
    }


def _image(name: str) -> dict[str, Any]:
    if name not in OWN:
        return {"image": IMAGES[name]}
    return {
        "image": f"steward-{name}",
        "build": {"context": "../..", "dockerfile": f"infra/images/{name}.Dockerfile"},
    }


def _container(place: Containers, service: Service) -> dict[str, Any]:
    made: dict[str, Any] = {**_image(service.image), "restart": "unless-stopped", "user": USER, "cap_drop": ["ALL"]}
    if service.image in OWN:
        made |= {"read_only": True, "tmpfs": ["/tmp"]}  # noqa: S108
    made["security_opt"] = ["no-new-privileges:true"]
    if command := (*_LOGS.get(service.name, ()), *service.command):
        made["command"] = list(command)
    if environment := dict(service.environment) | _further(place, service):
        made["environment"] = environment
    first = [VOLUMES] if service.keeps_data or service.uses_home else []
    if service.after or first:
        made["depends_on"] = {name: {"condition": "service_completed_successfully"} for name in first}
        made["depends_on"] |= {name: {"condition": "service_healthy"} for name in service.after}
    if secrets := _secrets(service):
        made["secrets"] = list(secrets)
    if service.published:
        made["ports"] = [f"127.0.0.1:{place.port(service.name)}:{place.port(service.name)}"]
    if volumes := _volumes(place, service):
        made["volumes"] = volumes
    if check := _check(place, service):
        made["healthcheck"] = {"test": check, "interval": "5s", "timeout": "5s", "retries": 5, "start_period": PATIENCE}
    return made | {"stop_grace_period": f"{service.stop_seconds}s", "stop_signal": f"SIG{service.stop_signal}"}


def _secrets(service: Service) -> tuple[str, ...]:
    return (*service.secrets, SCRAPER) if service.name == "prometheus" else service.secrets


def _further(place: Containers, service: Service) -> dict[str, str]:
    """What only the image of it asks for, or who reaches it from outside of its container."""
    own = {"HOME": "/tmp"} if service.image in OWN else {}  # noqa: S108, a user whom no image knows has none
    if service.name == "console":
        people, scraped = f"http://127.0.0.1:{place.port('console')}", json.dumps([place.host("console")])
        return own | {"STEWARD_MONITORING_ADDRESS": people, "STEWARD_MONITORING_NAMES": scraped}
    if service.name == "postgres":
        files = {"POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_superuser", "SECRETS": "/run/secrets"}
        return files | {"POSTGRES_INITDB_ARGS": "--encoding=UTF8 --locale=C"}  # as for the processes
    return own


def _volumes(place: Containers, service: Service) -> list[str]:
    home = [f"home:{place.home}"] if service.uses_home else []
    data = [f"{service.name}:{place.data(service.name)}"] if service.keeps_data else []
    configs = [f"{_MOUNTED[name]}:{place.config(name)}:ro" for name in service.configs]
    rules = ["../prometheus/rules:/etc/steward/rules:ro"] if service.name == "prometheus" else []
    pages = [
        "./datasource.yml:/etc/grafana/provisioning/datasources/steward.yml:ro",
        "../grafana/provisioning/dashboards:/etc/grafana/provisioning/dashboards:ro",
        "../grafana/dashboards:/etc/grafana/steward/dashboards:ro",
    ]
    return home + data + configs + rules + (pages if service.name == "grafana" else [])


def _check(place: Containers, service: Service) -> list[str]:
    """By what each image has in it."""
    port = place.port(service.name) if service.listens else 0
    if service.ready == POSTGRESQL:
        return ["CMD", "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]  # it may have no name for who runs it
    if service.name == "proxy":
        return ["CMD-SHELL", f"bash -c '</dev/tcp/127.0.0.1/{port}'"]
    if service.image in OWN:
        url = f"http://127.0.0.1:{port}{service.ready}"
        return ["CMD", "python", "-c", f"import urllib.request; urllib.request.urlopen('{url}', timeout=4)"] if port else []
    return ["CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{port}{service.ready}"] if service.ready != TCP else []


def files() -> dict[str, str]:
    """What the folder holds, by name."""
    place = Containers()
    scraped = prometheus(place, services(place), "/etc/steward/rules/*.yml")
    serving = next(job for job in scraped["scrape_configs"] if job["job_name"] == "serving")
    serving["authorization"] = {"credentials_file": f"{place.secrets}/{SCRAPER}"}
    return {
        "compose.yaml": HEAD + yaml.safe_dump(compose(), sort_keys=False, width=130),
        "datasource.yml": HEAD + yaml.safe_dump(_datasource(place), sort_keys=False),
        "prometheus.yml": HEAD + yaml.safe_dump(scraped, sort_keys=False),
    }


def _datasource(place: Containers) -> dict[str, Any]:
    """Grafana's own, at the address that Prometheus has between containers."""
    made: dict[str, Any] = yaml.safe_load((GRAFANA / "steward.yml").read_text())
    made["datasources"][0]["url"] = f"http://{address(place, 'prometheus')}"
    return made


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text)
        sys.stdout.write(f"wrote {FOLDER / name}\n")
