"""Which topology a command is about, and what it says of one that cannot be."""

import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from infra.told import INTERRUPTED, told
from infra.topology import ports
from infra.topology.places import chosen, remember
from infra.topology.running import start
from infra.topology.supervised import LocalPlace, here
from models.errors import Conflict, Misconfigured, Unavailable
from tests.unit.infra.places import NoPrograms

NEVER, ALWAYS = (lambda _: False), (lambda _: True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for the sockets below it, wherever the tests run."""
    with TemporaryDirectory() as made:
        yield Path(made)


def test_a_topology_is_found_at_the_ports_that_it_was_started_with(folder: Path) -> None:
    assert chosen(folder, None, NEVER).first == ports.FIRST
    remember(LocalPlace(folder, 9100))
    assert chosen(folder, None, ALWAYS).first == 9100
    assert chosen(folder, 9100, ALWAYS).first == 9100


def test_one_that_runs_is_not_looked_for_at_other_ports(folder: Path) -> None:
    remember(LocalPlace(folder, 9100))
    with pytest.raises(Conflict, match="from 9100 on"):
        chosen(folder, 9200, ALWAYS)
    assert chosen(folder, 9200, NEVER).first == 9200, "it may start at others"


def test_one_that_was_started_before_folders_remembered_is_asked_where_it_is_said_to_be(folder: Path) -> None:
    assert chosen(folder, 9200, ALWAYS).first == 9200


@pytest.mark.parametrize("first", [-1, 65_516, 70_000])
def test_ports_that_there_are_not_are_refused(folder: Path, first: int) -> None:
    with pytest.raises(Misconfigured, match="no 21 ports"):
        chosen(folder, first, NEVER)
    assert chosen(folder, 65_515, NEVER).first == 65_515


@pytest.mark.parametrize("name", ["with space", "it's", "50%", "x" * 60])
def test_a_folder_below_which_nothing_could_run_is_refused_before_anything_is_written(name: str) -> None:
    with pytest.raises(Misconfigured, match="the path"):
        chosen(Path("/tmp/steward") / name, None, NEVER)


def test_every_door_of_a_service_is_known_by_its_name() -> None:
    assert set(ports.of("proxy")) == {"proxy", "proxy-metrics"}
    assert {"store", "store-master", "store-filer-grpc"} <= set(ports.of("store"))
    assert set(ports.of("serving-1", 9100)) == {"serving-1"}


def test_a_port_of_somebody_else_is_named_whichever_door_it_is_to_be(tmp_path: Path) -> None:
    place = NoPrograms(tmp_path, ports.free())
    proxy = [service for service in here(place) if service.name == "proxy"]
    with socket.create_server(("127.0.0.1", place.port("proxy-metrics"))), pytest.raises(Unavailable, match="proxy-metrics's"):
        start(place, proxy, print)


def test_a_block_of_ports_is_free_if_nobody_listens_at_any_of_them() -> None:
    first = ports.free()
    with socket.create_server(("127.0.0.1", first + ports.SIZE - 1)):
        assert ports.free() >= first + ports.SIZE


def failing(error: BaseException) -> None:
    raise error


def test_what_went_wrong_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(lambda: failing(Misconfigured("it cannot be", hint="do this"))) == 1
    assert told(lambda: failing(OSError(28, "No space left on device", str(tmp_path)))) == 1
    assert told(lambda: failing(KeyboardInterrupt())) == INTERRUPTED
    said = capsys.readouterr().err
    assert "it cannot be\n  -> do this" in said
    assert f"{tmp_path}: No space left on device\n  ->" in said
    assert "interrupted" in said
    assert told(lambda: None) == 0
