"""`python -m infra.topology up | down | roll | status`: the topology as processes of this machine."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.told import told
from infra.topology import places, ports, rolling, running, secret_files
from infra.topology.databases import ensure_databases
from infra.topology.description import Service
from infra.topology.services import platform
from infra.topology.supervised import LocalPlace, here, lay_out

FOLDER = Path("var/up")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.topology", description=__doc__)
    parser.add_argument("verb", choices=sorted(_VERBS))
    parser.add_argument("--folder", type=Path, default=FOLDER, help="takes everything that the services write")
    parser.add_argument("--ports", type=int, help=f"the first of {ports.SIZE} ports; as it was started, or from {ports.FIRST} on")
    chosen = parser.parse_args(arguments)
    return told(lambda: _VERBS[chosen.verb](places.chosen(chosen.folder, chosen.ports)))


def up(place: LocalPlace) -> None:
    secret_files.make(Path(place.secrets))
    described = lay_out(place)
    if ensure_databases(place):
        _say("made the databases")
    _write_environment(place)
    places.remember(place)
    running.start(place, described, _say)
    _say("")
    for service in described:
        if service.published:
            _say(f"  {service.name:13} http://127.0.0.1:{place.port(service.name)}")
    _say(f"\nLogs: {place.logs}. Commands of the platform find these services after:  . {_environment(place)}")
    _say("Next: make train; make status-local; make down-local")


def down(place: LocalPlace) -> None:
    _say("stopped" if running.stop(place, here(place)) else f"nothing of {place.folder} runs")


def roll(place: LocalPlace) -> None:
    running.ensure_running(place)
    rolling.roll(place, lay_out(place), _say)


def status(place: LocalPlace) -> None:
    states = running.states(place)
    for service in here(place):
        state, description = states[service.name]
        _say(f"  {service.name:13} {_condition(place, service, state):10} {_port(place, service):6} {description}")


def _condition(place: LocalPlace, service: Service, state: str) -> str:
    if state != "RUNNING" or not service.listens:
        return state.lower()
    return "ready" if running.answers(place.port(service.name), service.ready) else "not ready"


def _port(place: LocalPlace, service: Service) -> str:
    return str(place.port(service.name)) if service.listens else ""


def _environment(place: LocalPlace) -> Path:
    return place.folder / "environment"


def _write_environment(place: LocalPlace) -> None:
    """For whoever types commands; it names the files with the secrets, and holds none."""
    _environment(place).write_text("".join(f"export {name}='{value}'\n" for name, value in platform(place).items()))


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


_VERBS = {"up": up, "down": down, "roll": roll, "status": status}

if __name__ == "__main__":
    sys.exit(main())
