"""The settings of serving. A setting is documented under its field."""

import math
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from models.governance.api_keys import Allowance
from models.settings import PREFIX, PlatformSettings
from serving.door.guard import Bounds
from serving.door.tokens import Role, Rules


class ServingSettings(PlatformSettings):
    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}SERVING_")

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """The port to listen on; 0 takes any free one."""
    guarded_by: Literal["keys", "sagemaker"] = "keys"
    """Who lets callers in: API keys and tokens, without which no door is opened to others; or SageMaker, which asks IAM before it
    passes a request on, can send no key, and lets nobody else reach the container."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that answer behind one address. With 1 the process answers itself, and nobody replaces it unless `supervised`;
    with more, a parent does. As many as there are cores to use is the most that helps; each takes 112 to 148 MB. `/health/ready`
    speaks for the one that was reached."""
    supervised: bool = False
    """Whether a parent looks after a single worker, too, and replaces it when it was killed or hangs. Where nothing else does: a
    cluster asks `/health/live` and starts anew by itself. The parent takes some 28 MB."""
    poll_seconds: float = Field(default=1.0, gt=0, le=4)
    """How often the release channel is looked at; up to a fifth more or less, so that workers do not look all at once.
    At most 4: a stop and a roll-back are promised to act within five seconds."""
    verify_every: int = Field(default=30, ge=1)
    """The files of a bundle in force are read and hashed again every this many looks; its approval at every look."""
    max_records: int = Field(default=10_000, ge=1, le=10_000)
    """Records in one request, at most."""
    max_body_bytes: int = Field(default=8 * 2**20, ge=1_024)
    """Size of a request's body, at most."""
    max_in_flight: int = Field(default=512, ge=1)
    """Requests that one process works on at a time; beyond them it answers 503."""
    max_queued: int = Field(default=100_000, ge=1)
    """Decisions of one process that wait to be recorded; beyond them it answers 503."""
    max_arriving_bytes: int = Field(default=256 * 2**20, ge=1_024)
    """Bodies that arrive at a time and are not whole yet, in bytes; beyond them it answers 503."""
    open_requests_per_second: float = Field(default=20_000, gt=0)
    """What all clients together may ask of one process while there are no API keys; a key has its own allowance."""
    open_decisions_per_second: float = Field(default=2_000_000, gt=0)
    """Likewise in decisions: a batch is taken whole, and what follows it waits."""
    receive_seconds: float = Field(default=15.0, gt=0)
    """How long a client may take to send one request, head and body; then its connection ends with 408."""
    request_seconds: float = Field(default=30.0, gt=0)
    """How long a request may take, from its head to its answer; then 503."""
    keep_alive_seconds: int = Field(default=65, ge=1)
    """How long a connection may be idle after an answer: longer than the 60 s of most load balancers, which reuse it."""
    drain_seconds: int = Field(default=30, ge=0)
    """How long a stopping service waits for the requests in flight."""
    silent_seconds: float = Field(default=15.0, ge=3, le=600)
    """A worker with a parent whose event loop does not turn for so long is killed and replaced: its clients wait for nobody."""
    traces: str = Field(default="", pattern="^(https?://.+)?$")
    """Where a collector takes traces by OpenTelemetry's protocol, such as http://127.0.0.1:4318/v1/traces; empty: none."""
    traces_share: float = Field(default=0.01, ge=0, le=1)
    """The share of requests that is traced, beside every one that failed here and every one whose caller records its trace."""
    access_log: bool = False
    """Whether every request is written to the standard output, one JSON object a line; decisions have their own log."""
    spool_after_seconds: float = Field(default=1.0, gt=0, le=60)
    """The decision log's database may take this long for a commit; then its decisions go into the spool and the answers leave."""
    spool_megabytes: int = Field(default=256, ge=1)
    """Size of the spool of one process, at most; a decision takes about a kilobyte. When it is full while the database is away, a
    request gets 503."""
    spool_folder: Path | None = None
    """Where the spool lies; by default `serving/spool` below `home`. It must outlast the process, and be nobody else's."""
    async_models: str = ""
    """Names of models, with commas between, that are answered before their decisions are recorded (mode `async`); the others
    after (`commit`). A request with an idempotency key is recorded first in either."""
    async_decisions: int = Field(default=10_000, ge=1)
    """So many decisions of these models are lost at most if the process is killed; beyond them a request gets 503. A batch that
    is larger is recorded first."""
    async_seconds: float = Field(default=2.0, gt=0)
    """What is lost was answered within this time: when the oldest decision waits longer to be recorded, a request gets 503."""

    token_issuer: str = ""
    """Whose tokens (JWT) are taken beside API keys, as `iss` says it; empty: nobody's. Needs the extra `tokens`."""
    token_audience: str = ""
    """What `aud` must name: this service."""
    token_keys_url: str = ""
    """Where the issuer's public keys are (JWKS): https, or http on this machine."""
    token_keys_seconds: float = Field(default=300.0, ge=60, le=86_400)
    """How often they are fetched; sooner for a token with an unknown key, but not within 30 s of the last time."""
    token_keys_hours: float = Field(default=24.0, gt=0, le=168)
    """How long the keys that were fetched last are taken while the issuer is away."""
    token_roles_claim: str = "roles"  # noqa: S105, a claim's name
    """Where a token names its roles: a list, or one text with spaces between; `realm_access.roles` leads into an object."""
    token_roles: dict[str, Role] = Field(default_factory=dict)
    """What each role may do, as JSON: {"scorer": {"models": ["credit_default"], "actions": ["score", "read"]}}."""
    token_reviewer_claim: str = "preferred_username"  # noqa: S105, likewise
    """Where a token names whose reviews it brings."""
    token_leeway_seconds: float = Field(default=30.0, ge=0, le=120)
    """By how much the issuer's clock and ours may differ."""
    token_hours: float = Field(default=24.0, gt=0, le=744)
    """Tokens that are in force for longer are refused: nobody can take one back."""
    token_allowance: Allowance = Field(default_factory=Allowance)
    """How much each subject may ask of one process, as JSON."""

    @property
    def spool_path(self) -> Path:
        return self.spool_folder or self.home / "serving" / "spool"

    @property
    def answered_first(self) -> frozenset[str]:
        return frozenset(filter(None, map(str.strip, self.async_models.split(","))))

    @property
    def open_to_all(self) -> Allowance:
        """What all may ask together while there are no API keys."""
        return Allowance(
            requests_per_second=self.open_requests_per_second,
            burst=math.ceil(self.open_requests_per_second),
            decisions_per_second=self.open_decisions_per_second,
            in_flight=self.max_in_flight,
        )

    @property
    def token_rules(self) -> Rules:
        return Rules(
            self.token_issuer,
            self.token_audience,
            self.token_roles,
            self.token_roles_claim,
            self.token_reviewer_claim,
            self.token_leeway_seconds,
            self.token_hours * 3_600,
            self.token_allowance,
        )

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.max_in_flight, self.max_queued, self.max_arriving_bytes, self.request_seconds)
