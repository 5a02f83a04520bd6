"""A scoring service in one process whose log, channel and scorer are faked, and what its tests send it."""

import re
from dataclasses import replace
from typing import Any

from models.bundle import canonical
from models.clock import FixedClock
from models.governance.doubt.rule import Rule
from monitoring.adapters.exposition import Exposition
from serving.adapters.arrow_streams import ArrowStreams
from serving.answers.loaded import LoadedModel
from serving.answers.past import PastReasons
from serving.answers.prediction import Predictor
from serving.app import Limits, scoring_app
from serving.door.envelope import Application
from serving.door.register import Register
from serving.durability.recording import Recorder
from serving.protocols.documents import Problem
from serving.protocols.frames import Frames
from serving.protocols.reviews import Reviews
from serving.release.watching import Watcher
from serving.telemetry.sight import Sight
from tests.bundles import MODEL, NOW, USE_CASE, Office, fake_bundle, record
from tests.fakes.channel import FakeChannel
from tests.fakes.copies import FakeCopies
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS
from tests.rules import all_familiar, plain

SCORE = f"/v1/models/{MODEL}/score"
COUNSEL = f"/v1/models/{MODEL}/counterfactual"
OFFICE = Office()


class World:
    def __init__(self) -> None:
        self.channel = FakeChannel()
        self.log = InMemoryDecisionLog()
        self.closed = False
        self.frames: Frames | None = ArrowStreams()
        self.predictor = Predictor(self.log, FixedClock(NOW), ACCOUNTS.pseudonym)
        self.watcher = Watcher(
            self.channel,
            lambda: OFFICE.trust,
            FixedClock(NOW),
            self.log,
            self.predictor,
            lambda release: LoadedModel.load(release, FakeScorer, 100),
            FakeCopies(),
        )

        self.reviews = Reviews(self.log, FixedClock(NOW), ACCOUNTS.known_as, PastReasons(self.channel, FakeScorer).explain)

    def promote(self, base: float, version: int) -> None:
        OFFICE.promote(self.channel, fake_bundle(base), version=version)

    def close(self) -> None:
        self.closed = True

    def app(self, poll_seconds: float = 3_600.0, sight: Sight | None = None) -> Application:
        parts = self.predictor, Recorder(self.log), self.watcher, self.reviews, Limits(20_000, poll_seconds)
        seen = sight or Sight(Exposition().text)
        return scoring_app(*parts, seen, self.close, register=Register(FixedClock(NOW)), frames=self.frames)


def problem(response: Any, status: int) -> Problem:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    said = Problem.model_validate(response.json())
    assert said.status == status
    assert re.fullmatch("[0-9a-f]{32}", said.request_id)
    assert "Traceback" not in response.text
    return said


def strange(**changes: Any) -> dict[str, Any]:
    """Sent to a person although its score alone would reduce it: its bill is unlike any other."""
    return record(status_0=5, bill_0=100_001.0, **changes)


def doubting_world() -> World:
    world = World()
    OFFICE.promote(world.channel, fake_bundle(0.1, parts=doubting()))
    return world


def doubting() -> dict[str, bytes]:
    usual = all_familiar(USE_CASE.contract)
    ranges = tuple(replace(each, high=100_000.0) if each.column == "bill_0" else each for each in usual.ranges)
    rule = Rule.made(USE_CASE.policy, plain(USE_CASE.contract, USE_CASE.policy).intervals, replace(usual, ranges=ranges))
    return {"uncertainty.json": canonical(rule.to_dict())}
