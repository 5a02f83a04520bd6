"""Where the topology could run."""

from dataclasses import dataclass

from infra.topology.supervised import LocalPlace


@dataclass(frozen=True)
class NoPrograms(LocalPlace):
    """A machine on which nothing is installed, and nothing is looked for."""

    def program(self, name: str) -> tuple[str, ...]:
        return (f"/bin/{name}",)
