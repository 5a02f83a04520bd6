"""The settings that every deployable shares. Each deployable adds its own, under its own prefix, in its `settings.py`."""

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.errors import Misconfigured

PREFIX = "STEWARD_"
DEPLOYABLES = ("SERVING", "MONITORING", "PIPELINES")


def of_own(home: Path) -> dict[str, str]:
    """The variables of a home that shares nothing with that of this process: of a replay, a drill, another stage."""
    return {f"{PREFIX}HOME": str(home), **dict.fromkeys((f"{PREFIX}CHANNEL", f"{PREFIX}LAKE", f"{PREFIX}DATABASE_URL"), "")}


def _shared(name: str, default: Any) -> Any:
    """A field whose variable keeps the common prefix in every deployable."""
    return Field(default, validation_alias=PREFIX + name)


class PlatformSettings(BaseSettings):
    """Read from the environment once, in wiring; never at import."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True
    )

    profile: Literal["local", "staging", "production"] = _shared("PROFILE", "local")
    """`local` allows what only a laptop may: a demonstration approver, keys made on first use, doors without keys. `production`
    asks for a canary before a release takes a champion's place; `staging` is the same without it, as no customers are there."""
    home: Path = _shared("HOME", Path("var"))
    """Everything that the embedded default writes lies below this folder."""
    clock_file: Path | None = _shared("CLOCK_FILE", None)
    """Take the time from this file instead of from the machine: replays and drills, local profile only."""
    engine: Literal["duckdb", "spark"] = _shared("ENGINE", "duckdb")
    """What moves and counts many rows: this machine with Arrow and DuckDB, or Spark, which needs `make spark-setup` and Java."""
    channel: str = _shared("CHANNEL", "")
    """The release channel: a folder; by default `channel` below `home`."""
    lake: str = _shared("LAKE", "")
    """The lake: a folder, or `s3://bucket/prefix`, below which each model has its own; by default `lake` below `home`. The audit
    columns' own lake stays below `home`."""
    database_url: str = _shared("DATABASE_URL", "")
    """Decision log, an SQLAlchemy URL; by default SQLite below `home`."""
    trust_file: Path | None = _shared("TRUST_FILE", None)
    """Public keys whose signatures count; by default `keys/trust.json` below `home`."""
    ledger_anchor: Path | None = _shared("LEDGER_ANCHOR", None)
    """A file elsewhere, better on another machine, that gets a copy of every signed head of the ledger; none by default."""
    log_format: Literal["auto", "json", "text"] = _shared("LOG_FORMAT", "auto")
    """Form of log lines on the standard error: `json`, an object each; `text`; `auto` is text on a terminal, JSON elsewhere."""
    timestamp_url: str = _shared("TIMESTAMP_URL", "")
    """A time-stamp service (RFC 3161) that stamps every new head of the ledger; none by default, as it needs a network."""
    timestamp_roots: Path | None = _shared("TIMESTAMP_ROOTS", None)
    """PEM file of the certificates that time stamps must lead to. With it alone, stamps are checked and none are asked for."""

    @classmethod
    def read(cls, **given: Any) -> Self:
        """The settings of the environment, those `given` by name instead of it. Raises `Misconfigured`, naming what is wrong."""
        try:
            return cls(**given)
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            name = str(wrong["loc"][0])
            variable = name if name.startswith(PREFIX) else str(cls.model_config["env_prefix"]) + name.upper()
            raise Misconfigured(f"{variable} is wrong: {wrong['msg']}", hint="see the settings.py of what was started") from error

    @model_validator(mode="after")
    def _local_only(self) -> Self:
        if self.profile != "local" and self.clock_file is not None:
            raise Misconfigured(
                "STEWARD_CLOCK_FILE is set outside the local profile", hint="unset it: production keeps real time"
            )
        return self

    @model_validator(mode="after")
    def _stamps_can_be_checked(self) -> Self:
        if self.timestamp_url and self.timestamp_roots is None:
            raise Misconfigured(
                "STEWARD_TIMESTAMP_URL is set without STEWARD_TIMESTAMP_ROOTS",
                hint="name the PEM file of the service's root certificates: a stamp that nobody can check is none",
            )
        return self

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        """A misspelt setting is an error; those of other deployables are none of our business."""
        known = self.variables()
        own = str(type(self).model_config["env_prefix"])
        others = tuple(p for name in DEPLOYABLES if (p := f"{PREFIX}{name}_") != own)
        for name in os.environ:
            if name.startswith(PREFIX) and not name.startswith(others) and name not in known:
                raise Misconfigured(f"{name} is not a setting", hint=f"known: {', '.join(sorted(known))}")
        return self

    @property
    def canaries(self) -> bool:
        """Whether a release is tried on some customers first."""
        return self.profile == "production"

    @classmethod
    def variables(cls) -> set[str]:
        """The names of the environment variables that are read."""
        prefix = str(cls.model_config["env_prefix"])
        return {str(info.validation_alias or prefix + name.upper()) for name, info in cls.model_fields.items()}

    @property
    def channel_folder(self) -> Path:
        return Path(self.channel) if self.channel else self.home / "channel"

    def lake_of(self, model: str) -> str:
        return f"{self.lake.rstrip('/') or self.home / 'lake'}/{model}"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.home / 'decisions.db').resolve()}"

    @property
    def trust_path(self) -> Path:
        return self.trust_file or self.home / "keys" / "trust.json"

    @property
    def ledger_path(self) -> Path:
        return self.home / "ledger.jsonl"

    @property
    def stamps_folder(self) -> Path:
        return self.home / "ledger.stamps"

    @property
    def reports_folder(self) -> Path:
        return self.home / "reports"

    @property
    def data_docs_folder(self) -> Path:
        return self.home / "validation" / "data_docs"
