"""Start, watch and stop the supervised services. Each starts when what it needs is ready; nothing is left when they stop."""

import os
import select
import socket
import subprocess
import sys
import time
import xmlrpc.client  # nosec B411
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from threading import Event
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from infra.topology import ports
from infra.topology.description import POSTGRESQL, TCP, Service
from infra.topology.supervised import LOOPBACK, LocalPlace, clean_environment, postgres_binary
from models.errors import Unavailable

PATIENCE = 240.0
"""Seconds until everything must be ready: the first start fills three databases."""
_DEAD = ("FATAL", "UNKNOWN")
_OVER = ("STOPPED", "EXITED", *_DEAD)
_AT_ONCE = False
"""What supervisord calls its argument `wait`."""
_TAIL = 800


class Supervisor:
    """supervisord's own calls, by their own names; each over a connection of its own, which ends with it."""

    def __init__(self, place: LocalPlace) -> None:
        self._address = f"unix://{place.socket}"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, name)

    def _call(self, name: str, *arguments: object) -> Any:
        transport = SupervisorTransport(None, None, self._address)
        with xmlrpc.client.ServerProxy(f"http://{LOOPBACK}", transport=transport) as door:
            return getattr(door.supervisor, name)(*arguments)


def running(place: LocalPlace) -> bool:
    """Whether a supervisor of this folder answers."""
    try:
        return bool(Supervisor(place).getPID())
    except OSError:
        return False


def ensure_running(place: LocalPlace) -> None:
    """Raises `Unavailable`."""
    if not running(place):
        raise Unavailable(f"nothing of {place.folder} runs", hint="make up-local")


def start(place: LocalPlace, described: Sequence[Service], say: Callable[[str], None]) -> None:
    """Returns when every service is ready. Raises `Unavailable`, naming the first that is not, with the end of its log."""
    if not running(place):
        _ensure_free(place, described)
        _start_supervisor(place)
    began, ready, supervisor = time.monotonic(), set[str](), Supervisor(place)
    while waiting := [service for service in described if service.name not in ready]:
        for service in waiting:
            if ready.issuperset(service.after) and _go(place, supervisor, service):
                ready.add(service.name)
                say(f"  {service.name:13} ready after {time.monotonic() - began:4.1f} s")
        if time.monotonic() - began > PATIENCE:
            raise _not_ready(place, waiting[0].name)
        Event().wait(0.1)


def _start_supervisor(place: LocalPlace) -> None:
    """It goes into the background when its door is open."""
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(place.supervisor)]
    if subprocess.run(command, env=clean_environment(), check=False).returncode:
        raise Unavailable(f"supervisord of {place.folder} did not start", hint="the reason stands above")


def stop(place: LocalPlace, described: Sequence[Service]) -> bool:
    """Returns when every process has ended; whether there was something to stop. Each stops after those that need it."""
    try:
        supervisor = Supervisor(place)
        process = os.pidfd_open(supervisor.getPID())
    except OSError:
        return False
    try:
        while left := {name for name, (state, _) in states(place).items() if state not in _OVER}:
            needed = {name for service in described if service.name in left for name in service.after}
            for name in left - needed:
                with suppress(xmlrpc.client.Fault):  # it has just ended, or is being stopped
                    supervisor.stopProcess(name, _AT_ONCE)
            Event().wait(0.1)
        supervisor.shutdown()
        select.select([process], [], [])
    finally:
        os.close(process)
    return True


def states(place: LocalPlace) -> dict[str, tuple[str, str]]:
    """State and, in words, since when, by service. Raises `Unavailable` if nothing runs."""
    ensure_running(place)
    return {each["name"]: (each["statename"], each["description"]) for each in Supervisor(place).getAllProcessInfo()}


def restart(place: LocalPlace, service: Service) -> None:
    """Stop it in order, start it again as it is described now, wait until it is ready."""
    supervisor = Supervisor(place)
    if supervisor.getProcessInfo(service.name)["statename"] not in _OVER:
        supervisor.stopProcess(service.name)
    supervisor.reloadConfig()
    supervisor.removeProcessGroup(service.name)
    supervisor.addProcessGroup(service.name)
    deadline = time.monotonic() + PATIENCE
    while not _go(place, supervisor, service):
        if time.monotonic() > deadline:
            raise _not_ready(place, service.name)
        Event().wait(0.05)


def _go(place: LocalPlace, supervisor: Supervisor, service: Service) -> bool:
    """Start it if it is not; whether it is ready. Raises `Unavailable` if it has given up."""
    state = supervisor.getProcessInfo(service.name)["statename"]
    if state in _DEAD:
        raise _not_ready(place, service.name)
    if state in ("STOPPED", "EXITED"):
        with suppress(xmlrpc.client.Fault):  # it has just been started again; the next look tells
            supervisor.startProcess(service.name, _AT_ONCE)
        return False
    return state == "RUNNING" and (not service.listens or answers(place.port(service.name), service.ready))


def answers(port: int, path: str) -> bool:
    """Whether the service takes connections, and says 200 where a path is given."""
    if path == POSTGRESQL:
        return _quiet([str(postgres_binary("pg_isready")), "-h", LOOPBACK, "-p", str(port)])
    try:
        if path == TCP:
            with socket.create_connection((LOOPBACK, port), timeout=2):
                return True
        connection = HTTPConnection(LOOPBACK, port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        finally:
            connection.close()
    except (OSError, HTTPException):
        return False


def _quiet(command: list[str]) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _ensure_free(place: LocalPlace, described: Sequence[Service]) -> None:
    """A port of somebody else would answer for us."""
    doors = {name: number for service in described for name, number in ports.of(service.name, place.first).items()}
    for name, number in doors.items():
        if answers(number, TCP):
            raise Unavailable(
                f"something else listens on port {number}, which is to be {name}'s",
                hint=f"stop it, or take other ports: PORTS=9100; if a supervisor was killed: pgrep -af {place.folder}",
            )


def _not_ready(place: LocalPlace, name: str) -> Unavailable:
    log = place.logs / f"{name}.log"
    end = log.read_text(errors="replace")[-_TAIL:].strip() if log.exists() else "it wrote nothing"
    return Unavailable(
        f"{name} does not get ready. The end of {log}:\n{end}", hint="correct that, then: make down-local; make up-local"
    )
