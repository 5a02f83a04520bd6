"""Every port of the topology, in one place: one block, counted from its first. Containers use the same numbers."""

FIRST = 8100

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
