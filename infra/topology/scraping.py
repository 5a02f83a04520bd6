"""What Prometheus reads, and whom it tells: every service that has numbers is scraped, whoever adds one."""

from collections.abc import Sequence
from typing import Any

from infra.topology.description import Place, Service

SECONDS = 5
"""Between two looks; rules count in minutes."""


def prometheus(place: Place, described: Sequence[Service], rules: str) -> dict[str, Any]:
    """The configuration; `rules` is the pattern of the rule files."""
    return {
        "global": {"scrape_interval": f"{SECONDS}s", "evaluation_interval": f"{SECONDS}s"},
        "rule_files": [rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [_target(place, "alertmanager", "alertmanager")]}]}]},
        "scrape_configs": [_job(place, name, members) for name, members in _jobs(described).items()],
    }


def _jobs(described: Sequence[Service]) -> dict[str, list[Service]]:
    """Replicas of one deployable are one job."""
    jobs: dict[str, list[Service]] = {}
    for service in described:
        if service.metrics:
            jobs.setdefault(service.name.rstrip("-0123456789"), []).append(service)
    return jobs


def _job(place: Place, name: str, members: Sequence[Service]) -> dict[str, Any]:
    targets = [_target(place, service.name, service.metrics) for service in members]
    return {"job_name": name, "static_configs": [{"targets": targets}]}


def _target(place: Place, service: str, door: str) -> str:
    return f"{place.host(service)}:{place.port(door)}"
