"""The services as `infra.topology` describes them. Who asks whom is read from their own commands and settings."""

from infra.architecture.markdown import mermaid, table
from infra.topology import ports
from infra.topology.description import Service
from infra.topology.services import services

_OPEN, _CLOSE = "«", "»"


class Marked:
    """A place whose hosts can be found again in a command."""

    bind = "here"
    home = "home"
    secrets = "/run/secrets"

    def program(self, name: str) -> tuple[str, ...]:
        return (name,)

    def host(self, service: str) -> str:
        return f"{_OPEN}{service}{_CLOSE}"

    def port(self, name: str) -> int:
        return ports.port(name)

    def data(self, service: str) -> str:
        return f"data/{service}"

    def config(self, name: str) -> str:
        return name


def diagram() -> str:
    """A line is drawn where one asks the other; a dotted one where it only waits for it at the start."""
    described = services(Marked())
    lines = ['people(["clients, people"])']
    lines += [f'{each.name}["{each.name}{_port(each)}"]' for each in described]
    lines += ['home[("home: lake, channel,<br>ledger, keys")]']
    lines += [f"people --> {each.name}" for each in described if each.published]
    for each in described:
        asked = _asked(each, described)
        lines += [f"{each.name} --> {other}" for other in asked]
        lines += [f"{each.name} -.-> {other}" for other in each.after if other not in asked]
    return mermaid("flowchart LR", [*lines, *(f"{each.name} --- home" for each in described if each.uses_home)])


def doors() -> str:
    """One line for each service."""
    described = services(Marked())
    rows = (
        (
            each.name,
            str(ports.port(each.name)) if each.listens else "",
            ", ".join(each.after),
            str(ports.port(each.metrics)) if each.metrics else "",
            ", ".join(f"`{name}`" for name in each.secrets),
            "containers" if each.containers_only else "processes and containers",
        )
        for each in described
    )
    return table(("service", "port", "starts after", "its numbers at", "secrets", "runs as"), rows)


def _asked(service: Service, described: tuple[Service, ...]) -> list[str]:
    said = " ".join([*service.command, *service.environment.values()])
    return [other.name for other in described if other is not service and f"{_OPEN}{other.name}{_CLOSE}" in said]


def _port(service: Service) -> str:
    return f"<br>{ports.port(service.name)}" if service.listens else ""
