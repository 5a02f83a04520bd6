"""The settings of the pipelines. A setting is documented under its field."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from models.settings import PREFIX, PlatformSettings
from pipelines.commands.arguments import FEWEST_TRIALS


class PipelineSettings(PlatformSettings):
    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}PIPELINES_")

    use_case: str = "credit_default"
    """Which folder of `models/` the flows work on."""
    scenario: str = ""
    """Take the accounts from this simulated scenario, e.g. `shift`; by default from the use case's own source."""
    mlflow_url: str = ""
    """MLflow tracking server; by default SQLite and a folder below `home`."""
    trials: int = Field(default=36, ge=FEWEST_TRIALS, le=10_000)
    """Trials of one search, shared by the model families."""
    workers: int = Field(default=2, ge=1, le=256)
    """Trials evaluated at a time, parts of a batch worked on at a time. No result depends on it."""
    dask: str = ""
    """Evaluate trials on Dask workers: `local` for processes of this machine, or a scheduler's address, tcp://host:8786."""
    studies_url: SecretStr = SecretStr("")
    """PostgreSQL database of the searches' studies; by default a journal each, below `home`."""
    part_rows: int = Field(default=50_000, ge=1_000, le=1_000_000)
    """Rows of a batch that are decided, and recorded in one commit, at a time. Memory grows with this times `workers`."""
    spark_master: str = "local[*]"
    """Where Spark runs: this machine's cores, or the address of a cluster, spark://host:7077."""
    folds: int = Field(default=3, ge=2, le=20)
    """Folds of the development cohorts, grouped by account."""
    seed: int = Field(default=2005, ge=0)
    """Seed of the search, the folds and the fits."""
    trainer: str = "pipeline"
    """Who answers for a training run; the name stands in the ledger, and its approval of the model does not count."""
    approver_keys: Path = Path("~/.config/steward")
    """Where approvers' own private keys lie: not in the project and not below `home`."""
    approver_passphrase: SecretStr = SecretStr("")
    """Opens an approver's key; asked for at the terminal if it is not set."""
    timezone: str = "UTC"
    """Time zone of the schedules below."""
    ingest_cron: str = "0 2 1 * *"
    """When a month's batch is taken in: the first day after the month, at night."""
    monitor_cron: str = "0 4 1 * *"
    """When a month's decisions are reported on; after ingest, so that matured outcomes are there."""
    retrain_cron: str = "0 6 1 * *"
    """When retraining is considered; it trains only if there is a trigger."""
    judge_cron: str = "*/5 * * * *"
    """When the open roll-out is judged: its tests may be looked at as often as one likes."""
    alerts_cron: str = "*/5 * * * *"
    """When it is looked for what is late or away, and alerts are sent that wait."""
    channels_file: Path | None = None
    """Where alerts are sent: a file with a name and an Apprise address on each line, which only its owner may read; e.g.
    `on-call jsons://hooks.bank.example/alerts`. None by default: alerts are kept, and nobody is told."""
    console_url: str = "http://127.0.0.1:8090"
    """Where people reach the console; links in messages begin so."""
    service_metrics: str = ""
    """The scoring service's /metrics, e.g. http://127.0.0.1:8080/metrics; none by default: nothing is said of the service."""
    service_key: SecretStr = SecretStr("")
    """Opens /metrics where a key is asked for: an API key of all models with the action read."""
    roll_out_first: bool = False
    """Whether a challenger that passes the gate waits for a shadow, a canary and people, instead of being promoted at once."""
    traces: str = Field(default="", pattern="^(https?://.+)?$")
    """Where a collector takes traces by OpenTelemetry's protocol, such as http://127.0.0.1:4318/v1/traces; empty: none."""
    metrics_host: str = "127.0.0.1"
    """Where `make schedule` tells its numbers to Prometheus; whoever reaches it reads them."""
    metrics_port: int = Field(default=4201, ge=0, le=65_535)
    """The port of that; 0 takes any free one."""
    prefect_port: int = Field(default=4200, ge=1, le=65_535)
    """Where `make schedule` serves Prefect's API and pages."""
