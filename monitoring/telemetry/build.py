"""Which release of the platform a process is."""

from functools import cache
from importlib.metadata import version
from platform import python_version

from monitoring.telemetry.families import Family


@cache
def build() -> Family:
    labels = (("version", version("steward")), ("python", python_version()))
    return Family("steward_build_info", "gauge", "1 for the release of the platform that runs", {labels: 1.0}, adds_up=False)
