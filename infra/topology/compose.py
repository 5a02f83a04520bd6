"""The services as containers: `python -m infra.topology.compose` writes what lies in `infra/compose`.

Between containers a service has its name as its host; ports, settings and order are those of the supervised processes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from infra.topology.clusters import who_may_connect
from infra.topology.contained import IMAGES, Containers
from infra.topology.description import POSTGRESQL, TCP, Service, address
from infra.topology.once import SECRETS as SAVED_WITH
from infra.topology.once import USER, VOLUMES, owner, savers
from infra.topology.scraping import prometheus
from infra.topology.services import ARCHIVE, services

FOLDER = Path(__file__).parents[1] / "compose"
GRAFANA = FOLDER.parent / "grafana" / "provisioning" / "datasources"
HEAD = "# Written by `make compose-file` from infra/topology/services.py. Change that, not this.\n"
OWN = ("serving", "pipelines", "console")
"""Images that are built here; the others are their makers', by version."""
SCRAPER = "prometheus_api_key"
"""The secret with which Prometheus asks the replicas: in containers they answer nobody without a key."""
PATIENCE = "240s"
"""The first start fills three databases."""
ARCHIVES = "${STEWARD_ARCHIVE:?run make up}"
"""A folder beside the secrets and no volume: it must outlast the databases' own, and be copied away by whatever copies files."""
HBA = "/etc/steward/pg_hba.conf"
_LOGS = {"store": ("-logtostderr=true",)}  # else it writes files that nobody finds
_MORE = {"postgres": ("-c", f"hba_file={HBA}")}  # the image's own lets everybody in everywhere who has any password
_MOUNTED = {
    "archive.sh": "../postgres/archive.sh",
    "databases.sql": "../postgres/databases.sql",
    "passwords.sql": "../postgres/passwords.sql",
    "haproxy.cfg": "../haproxy/haproxy.cfg",
    "kept.yml": "../alertmanager/kept.yml",
    "prometheus.yml": "./prometheus.yml",
}


def compose() -> dict[str, Any]:
    place = Containers()
    described = services(place)
    kept = [service.name for service in described if service.keeps_data]
    secrets = sorted({name for service in described for name in _secrets(service)} | set(SAVED_WITH))
    return {
        "name": "steward",
        "services": {
            VOLUMES: owner(_image("serving"), ["home", *kept]),
            **{service.name: _container(place, service) for service in described},
            **savers(place, _image("pipelines")),
        },
        "volumes": {name: {} for name in ["home", *kept]},
        "secrets": {name: {"file": f"${{STEWARD_SECRETS:?run make up}}/{name}"} for name in secrets},
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
    if command := (*_LOGS.get(service.name, ()), *service.command, *_MORE.get(service.name, ())):
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
    log = [f"{ARCHIVES}:{place.data(ARCHIVE)}", f"./pg_hba.conf:{HBA}:ro"]
    return home + data + configs + rules + (pages if service.name == "grafana" else log if service.name == "postgres" else [])


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
        "pg_hba.conf": HEAD + who_may_connect("samenet"),
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
