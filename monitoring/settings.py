"""The settings of the viewer. A setting is documented under its field."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from models.settings import PREFIX, PlatformSettings


class MonitoringSettings(PlatformSettings):
    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}MONITORING_")

    host: str = "127.0.0.1"
    """Where the viewer listens. It shows what the platform knows to whoever reaches it: keep it on the machine itself."""
    port: int = Field(default=8090, ge=0, le=65_535)
    """0 takes any free port."""
    traces: str = Field(default="", pattern="^(https?://.+)?$")
    """Where a collector takes traces by OpenTelemetry's protocol, such as http://127.0.0.1:4318/v1/traces; empty: none."""
    prefect_url: str = ""
    """Prefect's API, e.g. http://127.0.0.1:4200/api; by default the server that `make schedule` runs for the same home."""
