"""The settings of the console. A setting is documented under its field."""

from ipaddress import IPv4Network, IPv6Network

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from models.settings import PREFIX, PlatformSettings


class MonitoringSettings(PlatformSettings):
    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}MONITORING_")

    host: str = "127.0.0.1"
    """Where the console listens. On loopback, in the local profile, whoever sits at the machine may do everything."""
    port: int = Field(default=8090, ge=0, le=65_535)
    """0 takes any free port."""
    address: str = ""
    """How others reach it, e.g. https://steward.bank.example; then everybody signs in. Outside the local profile it is https."""
    names: tuple[str, ...] = ()
    """Further names under which it is asked from within, by Prometheus and probes, such as ["console"]."""
    proxies: tuple[IPv4Network | IPv6Network, ...] = (IPv4Network("127.0.0.1"), IPv6Network("::1"))
    """Whose word is taken for where a request came from (X-Forwarded-For), such as ["10.0.3.0/24"]. Guesses are counted by it."""
    traces: str = Field(default="", pattern="^(https?://.+)?$")
    """Where a collector takes traces by OpenTelemetry's protocol, such as http://127.0.0.1:4318/v1/traces; empty: none."""
    prefect_url: str = ""
    """Prefect's API, e.g. http://127.0.0.1:4200/api; by default the server that `make schedule` runs for the same home."""
    mlflow_url: str = ""
    """Where MLflow's pages are, to link to its runs; the console itself asks it nothing."""
