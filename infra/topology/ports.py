"""Every port of the topology, in one place: one block, counted from its first. Containers use the same numbers."""

import socket
from contextlib import suppress

FIRST, LAST = 8_100, 65_535

_OFFSETS = {
    "proxy": 0,
    "serving-1": 1,
    "serving-2": 2,
    "console": 3,
    "mlflow": 4,
    "prefect": 5,
    "prometheus": 6,
    "alertmanager": 7,
    "grafana": 8,
    "schedules-metrics": 9,
    "postgres": 10,
    "store": 11,
    "proxy-metrics": 12,
    "store-metrics": 13,
    "store-master": 14,
    "store-master-grpc": 15,
    "store-volume": 16,
    "store-volume-grpc": 17,
    "store-filer": 18,
    "store-filer-grpc": 19,
    "store-grpc": 20,
}
SIZE = max(_OFFSETS.values()) + 1


def port(name: str, first: int = FIRST) -> int:
    """Of a service, or of one of its further doors."""
    return first + _OFFSETS[name]


def numbers(first: int = FIRST) -> dict[str, int]:
    """Every port by its name."""
    return {name: first + offset for name, offset in _OFFSETS.items()}


def of(service: str, first: int = FIRST) -> dict[str, int]:
    """Every door of a service, by its name."""
    return {name: number for name, number in numbers(first).items() if name == service or name.startswith(f"{service}-")}


def free() -> int:
    """The first of a block at which nobody listens now: for a service that answers only us, and not for long."""
    return next(first for first in range(FIRST, LAST - SIZE, SIZE) if all(map(_is_free, range(first, first + SIZE))))


def _is_free(number: int) -> bool:
    with suppress(OSError), socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", number))
        return True
    return False
