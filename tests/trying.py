"""A service with fakes for everything outside, that serves version 1 and is asked to try version 2."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.channel import Release
from models.clock import FixedClock
from models.errors import PlatformError, Unavailable
from models.governance.approval import approve
from models.governance.signing import Signed, Signer
from models.rollout import End, Mode, Outcome, Rollout
from serving.answers.answer import Ask
from serving.answers.loaded import LoadedModel
from serving.release.memory import InProcess, Memory, Seen
from serving.release.watching import Watcher
from serving.rollout.obeying import RolloutSwitch
from serving.rollout.trial import Trial
from tests.answering import Answering
from tests.begun import paper_rollout
from tests.bundles import MODEL, NOW, Office, fake_bundle, record
from tests.fakes.channel import FakeChannel
from tests.fakes.copies import FakeCopies
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS

WEEK = timedelta(days=7)
CHAMPION, CHALLENGER = 0.1, 0.35


class Breakable(FakeScorer):
    """Breaks for as long as it is told to, and over accounts with this bill."""

    def __init__(self, graph: bytes) -> None:
        super().__init__(graph)
        self.broken = False
        self.over: float | None = None

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.broken:
            raise RuntimeError("no graph, for account A1")
        return np.where(inputs[:, 3] == self.over, np.nan, super().probabilities(inputs))


class Leaving(FakeChannel):
    """A channel that can go away, and from which somebody takes documents."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False

    def models(self) -> list[str]:
        self._look()
        return super().models()

    def pointers(self, model: str) -> int:
        self._look()
        return super().pointers(model)

    def approvals(self, bundle: str) -> tuple[Signed, ...]:
        self._look()
        return super().approvals(bundle)

    def rollouts(self, model: str) -> int:
        self._look()
        return super().rollouts(model)

    def _look(self) -> None:
        if self.down:
            raise Unavailable("the release channel does not answer")


class World:
    def __init__(self, **challenger: Any) -> None:
        self.office, self.channel, self.clock, self.log = Office(), Leaving(), FixedClock(NOW), InMemoryDecisionLog()
        self.memory: Memory = InProcess()
        self.loads = 0
        self._numbers = count(1)
        self.champion = fake_bundle(CHAMPION)
        self.challenger = fake_bundle(CHALLENGER, **challenger)
        self.channel.add_bundle(self.challenger.digest, self.challenger.files)
        self.restart()
        self.office.promote(self.channel, self.champion)
        self.watcher.look()

    def restart(self) -> None:
        """A service that knows what is on disk, and nothing else."""
        self.predictor = Answering(self.log, self.clock, ACCOUNTS.pseudonym, lambda: f"id{next(self._numbers)}")
        switch = RolloutSwitch(self.channel, self.clock, self.predictor, self._load, Seen(self.memory))
        self.watcher = Watcher(
            self.channel,
            lambda: self.office.trust,
            self.clock,
            self.log,
            self.predictor,
            self._load,
            FakeCopies(),
            memory=self.memory,
            rollouts=switch,
        )

    def _load(self, release: Release) -> LoadedModel:
        self.loads += 1
        return LoadedModel.load(release, Breakable, 100)

    def approve(self, bundle: Bundle | None = None, valid_for: timedelta = 2 * WEEK) -> None:
        signed = approve(
            self.office.approver,
            model=MODEL,
            bundle=(bundle or self.challenger).digest,
            evidence="e" * 64,
            trainer="pipeline",
            now=self.clock.now(),
            comment="read",
            valid_for=valid_for,
        )
        self.channel.add_approval((bundle or self.challenger).digest, signed)

    def document(self, mode: Mode = Mode.CANARY, share: float = 0.5, **changes: Any) -> Rollout:
        said = {
            "number": self.channel.rollouts(MODEL) + 1,
            "mode": mode,
            "share": 1 if mode is Mode.SHADOW else share,
            "champion": self.champion.digest,
            "challenger": self.challenger.digest,
            "started_at": self.clock.now().isoformat(),
            "ends_at": (self.clock.now() + WEEK).isoformat(),
            "pointer": self.channel.pointers(MODEL),
        }
        return paper_rollout(**{**said, **changes})

    def begin(self, document: Rollout | None = None, by: Signer | None = None, **changes: Any) -> Rollout:
        found = document or self.document(**changes)
        self.channel.add_rollout(MODEL, found.number, (by or self.office.publisher).sign(found.to_document()))
        self.watcher.look()
        return found

    def end(self, begun: Rollout) -> None:
        number = self.channel.rollouts(MODEL) + 1
        said = End(MODEL, number, begun.number, Outcome.ENDED, self.clock.now().isoformat(), "ana", "enough")
        self.channel.add_rollout(MODEL, number, self.office.publisher.sign(said.to_document()))
        self.watcher.look()

    @property
    def trial(self) -> Trial | None:
        return self.predictor.trials.get(MODEL)

    @property
    def problem(self) -> PlatformError | None:
        return self.watcher.seen.models.get(f"roll-out of {MODEL}")

    def break_challenger(self, *, broken: bool = True, over: float | None = None) -> None:
        assert self.trial
        scorer = self.trial.challenger.scorer
        assert isinstance(scorer, Breakable)
        scorer.broken, scorer.over = broken, over

    def score(self, *accounts: str, key: str = "", **changes: Any) -> Mapping[str, Any]:
        body = {"records": [record(account_id=each, **changes) for each in accounts]}
        found: Mapping[str, Any] = json.loads(self.predictor.answer(Ask(MODEL, json.dumps(body).encode(), "r", key)).response)
        return found

    def drawn(self, begun: Rollout, arm: str, many: int) -> list[str]:
        """Accounts that are drawn to this arm."""
        names = (f"A{number:05d}" for number in count(1))
        found = (name for name in names if begun.arm(ACCOUNTS.pseudonym(name)) == arm)
        return [next(found) for _ in range(many)]

    def approved(self, **changes: Any) -> Rollout:
        """A canary that applies."""
        self.approve()
        begun = self.begin(**changes)
        assert self.trial, self.problem
        return begun


def limits(begun: Rollout, **changes: Any) -> Rollout:
    return replace(begun, guardrails=replace(begun.guardrails, **changes))
