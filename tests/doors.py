"""A scoring service with everything faked but the door, and holders of keys."""

from collections.abc import Callable, Sequence
from typing import Any

from models.bundle import Bundle
from models.clock import FixedClock
from models.governance.api_keys import Action, Allowance, ApiKey, issue
from models.scoring import Scorer
from monitoring.adapters.exposition import Exposition
from monitoring.decisions import DecisionLog
from serving.answers.loaded import LoadedModel
from serving.answers.past import PastReasons
from serving.answers.prediction import Predictor
from serving.app import Limits, scoring_app
from serving.door.guard import Bounds
from serving.door.holders import OPEN
from serving.door.register import Register
from serving.door.tokens import Tokens
from serving.durability.recording import Recorder
from serving.protocols.frames import Frames
from serving.protocols.reviews import Reviews
from serving.release.watching import Watcher
from serving.telemetry.sight import Sight
from tests.bundles import MODEL, NOW, Office, fake_bundle
from tests.fakes.channel import FakeChannel
from tests.fakes.copies import FakeCopies
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS

SCORE = f"/v1/models/{MODEL}/score"
COUNSEL = f"/v1/models/{MODEL}/counterfactual"


def key(name: str = "app", **changes: Any) -> ApiKey:
    """Its secret is `secret-<name>`."""
    asked = {"models": ["all"], "actions": list(Action), "days": 30, "now": NOW} | changes
    return issue(f"secret-{name}", name, **asked)


def bearer(name: str = "app") -> dict[str, str]:
    return {"Authorization": f"Bearer secret-{name}"}


class Doorway:
    """`keys`: who holds one; nobody needs one if there are none."""

    def __init__(
        self,
        *keys: ApiKey,
        log: DecisionLog | None = None,
        bounds: Bounds | None = None,
        most_bytes: int = 20_000,
        open_to_all: Allowance | None = None,
        bundle: Bundle | None = None,
        close: Callable[[], None] = lambda: None,
        scorer: Callable[[bytes], Scorer] = FakeScorer,
        tokens: Tokens | None = None,
        frames: Frames | None = None,
    ) -> None:
        self.clock, office, channel = FixedClock(NOW), Office(), FakeChannel()
        office.promote(channel, bundle or fake_bundle(0.1))
        self.log = log or InMemoryDecisionLog()
        self.register = Register(self.clock, open_to_all or OPEN, tokens)
        self.hold(keys)
        self.predictor = Predictor(self.log, self.clock, ACCOUNTS.pseudonym)
        self.watcher = Watcher(
            channel,
            lambda: office.trust,
            self.clock,
            self.log,
            self.predictor,
            lambda release: LoadedModel.load(release, scorer, 100),
            FakeCopies(),
        )
        self.recorder = Recorder(self.log)
        reviews = Reviews(self.log, self.clock, ACCOUNTS.known_as, PastReasons(channel, scorer).explain)
        limits = Limits(most_bytes, 3_600.0, bounds or Bounds())
        parts = (self.predictor, self.recorder, self.watcher, reviews, limits, Sight(Exposition().text), close)
        self.app = scoring_app(*parts, register=self.register, frames=frames)

    def hold(self, keys: Sequence[ApiKey]) -> None:
        self.register.take_over(keys, any_files=bool(keys))
