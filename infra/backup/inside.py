"""The place of a backup among the containers: it runs in one itself, with their volumes, and reaches the others by name."""

from dataclasses import dataclass
from pathlib import Path

from infra.topology.contained import IMAGES, Containers
from models.errors import Misconfigured

_MAJOR = IMAGES["postgres"].split(":")[1].split(".")[0]


@dataclass(frozen=True)
class Inside(Containers):
    """`scratch` takes what is gone in the end: clusters that are tried or made, a log, a home that is cut to a moment."""

    scratch: Path

    @classmethod
    def taking(cls, to: Path) -> "Inside":
        """Beside the backup, which has the room for it."""
        return cls(to.parent)

    @classmethod
    def restoring(cls) -> "Inside":
        """In PostgreSQL's own volume: a cluster that is whole is renamed there."""
        return cls(Path(Containers().data("postgres")))

    def data(self, service: str) -> str:
        if service == "postgres":
            return f"{Containers().data(service)}/{_MAJOR}/docker"  # where its image looks
        return str(self.scratch / f".{service}")

    def ensure_new(self) -> None:
        if Path(self.data("postgres")).exists():
            raise Misconfigured("the volumes hold databases", hint="restore into a new project: PROJECT=name")
