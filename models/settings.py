"""The settings that every deployable shares. Each deployable adds its own, under its own prefix, in its `settings.py`."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.errors import Misconfigured

PREFIX = "STEWARD_"
DEPLOYABLES = ("SERVING", "MONITORING", "PIPELINES")


class PlatformSettings(BaseSettings):
    """Read from `STEWARD_*` once, in wiring; never at import."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    profile: Literal["local", "production"] = "local"
    """`local` allows what only a laptop may: a demonstration approver, keys made on first use, doors without keys."""
    home: Path = Path("var")
    """Everything that the embedded default writes lies below this folder."""
    clock_file: Path | None = None
    """Take the time from this file instead of from the machine: replays and drills, local profile only."""
    channel: str = ""
    """The release channel: a folder; by default `channel` below `home`."""
    database_url: str = ""
    """Decision log, an SQLAlchemy URL; by default SQLite below `home`."""
    trust_file: Path | None = None
    """Public keys whose signatures count; by default `keys/trust.json` below `home`."""

    @model_validator(mode="after")
    def _local_only(self) -> Self:
        if self.profile != "local" and self.clock_file is not None:
            raise Misconfigured(
                "STEWARD_CLOCK_FILE is set outside the local profile", hint="unset it: production keeps real time"
            )
        return self

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        prefixes = {
            PREFIX: PlatformSettings.model_fields,
            type(self).model_config["env_prefix"]: type(self).model_fields,
        }
        foreign = tuple(f"{PREFIX}{name}_" for name in DEPLOYABLES)
        for name in os.environ:
            prefix = next((p for p in sorted(prefixes, key=len, reverse=True) if name.startswith(p)), None)
            if prefix is None or (prefix == PREFIX and name.startswith(foreign)):
                continue
            if name.removeprefix(prefix).lower() not in prefixes[prefix]:
                known = ", ".join(sorted(prefix + field.upper() for field in prefixes[prefix]))
                raise Misconfigured(f"{name} is not a setting", hint=f"known: {known}")
        return self

    @property
    def channel_folder(self) -> Path:
        return Path(self.channel) if self.channel else self.home / "channel"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.home / 'decisions.db').resolve()}"

    @property
    def trust_path(self) -> Path:
        return self.trust_file or self.home / "keys" / "trust.json"
