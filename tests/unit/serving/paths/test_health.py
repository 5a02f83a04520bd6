"""Health and readiness, asked over HTTP."""

from dataclasses import asdict
from datetime import timedelta

from fastapi.testclient import TestClient

from models import errors
from models.clock import FixedClock
from models.governance.stop import Stop
from monitoring.adapters.exposition import Exposition
from serving.answers.loaded import LoadedModel
from serving.answers.prediction import Predictor
from serving.app import Limits, scoring_app
from serving.door.envelope import Application
from serving.door.register import Register
from serving.durability.recording import Recorder
from serving.durability.spooling import LATE, Spooling
from serving.protocols.documents import Readiness
from serving.release.watching import Watcher
from serving.telemetry.sight import Sight
from tests.bundles import MODEL, NOW, fake_bundle, record
from tests.fakes.copies import FakeCopies
from tests.fakes.scorer import FakeScorer
from tests.fakes.spool import InMemorySpool
from tests.rings import ACCOUNTS
from tests.worlds import OFFICE, SCORE, World, problem


class Spooled(World):
    """A service whose log has a spool of two decisions."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FixedClock(NOW)
        self.store = Spooling(self.log, InMemorySpool(most=2), after=30.0, clock=self.clock, pauses=[0.002])
        self.predictor = Predictor(self.store, FixedClock(NOW), ACCOUNTS.pseudonym)
        self.watcher = Watcher(
            self.channel,
            lambda: OFFICE.trust,
            FixedClock(NOW),
            self.store,
            self.predictor,
            lambda release: LoadedModel.load(release, FakeScorer, 100),
            FakeCopies(),
        )

    def close(self) -> None:
        self.store.close()

    def app(self, poll_seconds: float = 3_600.0) -> Application:
        parts = self.predictor, Recorder(self.store), self.watcher, self.reviews, Limits(20_000, poll_seconds)
        return scoring_app(*parts, Sight(Exposition().text), self.close, spooling=self.store, register=Register(FixedClock(NOW)))


def test_while_the_spool_takes_decisions_the_service_is_ready_and_names_it_and_when_it_is_full_it_is_not() -> None:
    world = Spooled()
    world.promote(0.1, version=1)
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        world.log.down = errors.Unavailable("the database is away", hint="start it")
        for _ in range(2):
            assert client.post(SCORE, json=record()).status_code == 200
        world.watcher.look()
        response = client.get("/health/ready")
        ready = Readiness.model_validate(response.json())
        assert (response.status_code, ready.ready) == (200, True)
        assert [(each.where, each.hint) for each in ready.problems] == [("spool", "start it")]
        said = ready.problems[0].problem
        assert said.startswith(f"the database is away. 2 decisions wait in the spool, the oldest since {NOW.isoformat()}")

        told = client.get("/metrics").text
        assert "steward_spool_decisions 2.0" in told
        assert "steward_spool_late_decisions 0.0" in told
        world.clock.set(NOW + LATE + timedelta(seconds=1))
        assert "steward_spool_late_decisions 2.0" in client.get("/metrics").text

        refused = client.post(SCORE, json=record())
        assert "the spool is full" in problem(refused, 503).detail
        assert refused.headers["retry-after"] == "1"
        world.watcher.look()
        response = client.get("/health/ready")
        assert response.status_code == 503
        assert "the database is away; and the spool is full" in response.json()["reason"]
        world.log.down = None
    assert len(world.log.decisions) == 2


def test_without_a_champion_the_service_lives_but_is_not_ready_and_says_what_to_run() -> None:
    with TestClient(World().app()) as client:
        assert client.get("/health/live").status_code == 200
        response = client.get("/health/ready")
        assert response.status_code == 503
        ready = Readiness.model_validate(response.json())
        assert (ready.ready, ready.reason, ready.hint) == (False, "no model has been promoted yet", "run `make train`")
        assert "make train" in problem(client.post(SCORE, json=record()), 503).hint
        assert client.get("/v1/models").json() == {"models": []}
        assert "paths" in client.get("/openapi.json").json()


def asked(client: TestClient) -> tuple[int, int]:
    """What proxies see, and what people do."""
    answering = client.get("/health/answering")
    assert answering.json() == {"answering": answering.status_code == 200}
    return answering.status_code, client.get("/health/ready").status_code


def test_a_model_that_a_person_stopped_is_said_by_the_service_so_proxies_go_on_sending_requests(world: World) -> None:
    with TestClient(world.app()) as client:
        assert asked(client) == (200, 200)
        said = Stop(MODEL, 1, True, "unexplained jump", "on-call", NOW.isoformat())
        world.channel.add_stop(MODEL, 1, OFFICE.publisher.sign(asdict(said)))
        world.watcher.look()
        assert asked(client) == (200, 503)
        assert "unexplained jump" in problem(client.post(SCORE, json=record()), 503).detail


def test_a_replica_that_starts_while_a_model_is_stopped_is_sent_requests_once_it_has_verified_the_champion() -> None:
    world = World()
    said = Stop(MODEL, 1, True, "unexplained jump", "on-call", NOW.isoformat())
    world.promote(0.1, version=1)
    world.channel.add_stop(MODEL, 1, OFFICE.publisher.sign(asdict(said)))
    assert world.watcher.unfit() is not None, "before its first look"
    with TestClient(world.app()) as client:
        assert asked(client) == (200, 503)


def test_an_approval_that_ended_is_said_by_the_service_too(world: World) -> None:
    with TestClient(world.app()) as client:
        world.predictor.stop(MODEL, errors.NotApproved("the approval ended"))
        assert asked(client) == (200, 503)
        assert "the approval ended" in problem(client.post(SCORE, json=record()), 503).detail


def test_a_replica_that_never_verified_a_release_or_can_record_nothing_is_sent_none(world: World) -> None:
    empty = World()
    with TestClient(empty.app()) as client:
        assert asked(client) == (503, 503)
        refused = fake_bundle(0.2, parts={"contract.json": b"{}"})
        OFFICE.promote(empty.channel, refused, version=1)
        empty.watcher.look()
        assert asked(client) == (503, 503)
    with TestClient(world.app()) as client:
        world.log.down = errors.Unavailable("the database is away")
        world.watcher.look()
        assert asked(client) == (503, 503)


def test_a_refused_release_is_shown_in_readiness_and_the_old_one_answers(world: World) -> None:
    with TestClient(world.app()) as client:
        OFFICE.promote(world.channel, fake_bundle(0.2, parts={"contract.json": b"{}"}), version=2)
        world.watcher.look()
        response = client.get("/health/ready")
        assert response.status_code == 200
        ready = Readiness.model_validate(response.json())
        assert [(trouble.where, "cannot be read" in trouble.problem) for trouble in ready.problems] == [(MODEL, True)]
        assert client.post(SCORE, json=record()).json()["version"] == 1
