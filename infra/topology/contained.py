"""Containers as a place: whatever a service asks for lies at the same path in each of them, and a service is its own host."""

from infra.topology import ports

IMAGES = {
    "postgres": "postgres:18.6-bookworm",
    "store": "chrislusf/seaweedfs:4.48",
    "proxy": "haproxy:2.6-bookworm",
    "prometheus": "prom/prometheus:v2.42.0",
    "alertmanager": "prom/alertmanager:v0.25.0",
    "grafana": "grafana/grafana:12.3.0",
}
_PROGRAMS = {
    "weed": "weed",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "haproxy": "haproxy",
    "postgres": "postgres",
}
_ENTRY_IS_THE_PROGRAM = ("weed", "prometheus", "alertmanager")
"""Images whose entry point is the program itself: their command begins with its arguments."""
_DATA = {"postgres": "/var/lib/postgresql", "grafana": "/var/lib/grafana"}
_CONFIGS = {name: f"/docker-entrypoint-initdb.d/{name}" for name in ("databases.sql", "passwords.sql")}
"""The image runs them once, in the order of their names."""


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
