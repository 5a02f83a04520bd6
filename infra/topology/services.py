"""The services. Whatever is added here appears in every rendering, with the same ports and settings."""

from infra.topology.description import POSTGRESQL, Place, Service, address

DATABASES = ("mlflow", "prefect", "decisions")
"""Each is owned by a user of its own name, who can open no other."""
REPLICAS = ("serving-1", "serving-2")
BUCKET, LAKE = BUCKETS = ("mlflow", "lake")
"""Of MLflow's artefacts, and of the lake: whoever writes first makes them."""
ARCHIVE = "archive"
"""Whose data are PostgreSQL's log, segment by segment: what a restore to any moment needs."""
ARCHIVED_SECONDS = 60
"""What was written is in the archive after so long: what the loss of PostgreSQL's own disk costs at most."""

_QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def services(place: Place) -> tuple[Service, ...]:
    """In the order in which they start; they stop in the opposite one."""
    return (
        _postgres(place),
        _store(place),
        _mlflow(place),
        _prefect(place),
        _schedules(place),
        *(_replica(place, name) for name in REPLICAS),
        _proxy(place),
        _console(place),
        _alertmanager(place),
        _prometheus(place),
        _grafana(place),
    )


def platform(place: Place) -> dict[str, str]:
    """What every command of the platform is told, and whoever types one: where home and services are. No secret is in it."""
    return {
        "STEWARD_HOME": place.home,
        "STEWARD_DATABASE_URL": f"postgresql://decisions@{address(place, 'postgres')}/decisions",
        "STEWARD_PIPELINES_MLFLOW_URL": f"http://{address(place, 'mlflow')}",
        "PREFECT_API_URL": f"http://{address(place, 'prefect')}/api",
        "PGPASSFILE": f"{place.secrets}/pgpass_decisions",
        **_lake(place),
    }


def _lake(place: Place) -> dict[str, str]:
    """In the store, and how it is asked."""
    return {
        "STEWARD_LAKE": f"s3://{LAKE}",
        "AWS_ENDPOINT_URL": f"http://{address(place, 'store')}",
        "AWS_REGION": "us-east-1",
        "AWS_SHARED_CREDENTIALS_FILE": f"{place.secrets}/store_credentials",
    }


def _postgres(place: Place) -> Service:
    settings = {
        "listen_addresses": place.bind,
        "port": place.port("postgres"),
        "archive_mode": "on",
        "archive_command": f"sh '{place.config('archive.sh')}' %p %f '{place.data(ARCHIVE)}'",
        "archive_timeout": ARCHIVED_SECONDS,
    }
    return Service(
        name="postgres",
        image="postgres",
        command=(*place.program("postgres"), *(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))),
        ready=POSTGRESQL,
        secrets=("postgres_superuser", *(f"postgres_{name}" for name in DATABASES)),
        configs=("databases.sql", "passwords.sql", "archive.sh"),
        keeps_data=True,
        stop_seconds=60,
        stop_signal="INT",  # a fast shutdown: TERM would wait for every client to leave
    )


def _store(place: Place) -> Service:
    doors = {"master": "master", "volume": "volume", "filer": "filer", "s3": "store"}
    ports = [f"-{flag}.port={place.port(name if name == 'store' else f'store-{name}')}" for flag, name in doors.items()]
    inner = [
        f"-{flag}.port.grpc={place.port('store-grpc' if name == 'store' else f'store-{name}-grpc')}"
        for flag, name in doors.items()
    ]
    return Service(
        name="store",
        image="store",
        command=(
            *place.program("weed"),
            f"-config_dir={place.secrets}",  # security.toml: what else listens wants a token
            "server",
            f"-dir={place.data('store')}",
            f"-ip={place.host('store')}",
            f"-ip.bind={place.bind}",
            "-master.volumeSizeLimitMB=256",  # each bucket takes seven at once, also on a disk that is nearly full
            "-master.telemetry=false",
            "-volume.max=0",
            "-volume.preStopSeconds=1",
            "-filer",
            "-s3",
            f"-s3.config={place.secrets}/store_identities.json",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-metricsPort={place.port('store-metrics')}",
            f"-metricsIp={place.bind}",
            *ports,
            *inner,
        ),
        ready="/healthz",
        secrets=("store_identities.json", "security.toml"),
        metrics="store-metrics",
        keeps_data=True,
        stop_seconds=30,
    )


def _mlflow(place: Place) -> Service:
    return Service(
        name="mlflow",
        image="pipelines",
        command=(
            *place.program("mlflow"),
            "server",
            "--host",
            place.bind,
            "--port",
            str(place.port("mlflow")),
            "--workers",
            "1",
            "--allowed-hosts",
            f"{address(place, 'mlflow')},localhost:{place.port('mlflow')},127.0.0.1:{place.port('mlflow')}",
            "--artifacts-destination",
            f"s3://{BUCKET}",
        ),
        ready="/health",
        after=("postgres", "store"),
        environment=_QUIET
        | {
            "MLFLOW_BACKEND_STORE_URI": f"postgresql+psycopg://mlflow@{address(place, 'postgres')}/mlflow",
            "MLFLOW_S3_ENDPOINT_URL": f"http://{address(place, 'store')}",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # seven more processes, for what nobody asks here
            "AWS_SHARED_CREDENTIALS_FILE": f"{place.secrets}/store_credentials",
            "AWS_DEFAULT_REGION": "us-east-1",
            "PGPASSFILE": f"{place.secrets}/pgpass_mlflow",
        },
        secrets=("pgpass_mlflow", "store_credentials"),
        published=True,
    )


def _prefect(place: Place) -> Service:
    return Service(
        name="prefect",
        image="pipelines",
        command=(*place.program("prefect"), "server", "start", "--host", place.bind, "--port", str(place.port("prefect"))),
        ready="/api/health",
        after=("postgres",),
        environment=_QUIET
        | {
            "PREFECT_HOME": place.data("prefect"),
            "PREFECT_UI_STATIC_DIRECTORY": f"{place.data('prefect')}/pages",  # its own folder may be one that nobody writes to
            "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://prefect@{address(place, 'postgres')}/prefect",
            "PREFECT_UI_API_URL": f"http://127.0.0.1:{place.port('prefect')}/api",
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
            "PGPASSFILE": f"{place.secrets}/pgpass_prefect",
        },
        secrets=("pgpass_prefect",),
        keeps_data=True,
        published=True,
    )


def _schedules(place: Place) -> Service:
    return Service(
        name="schedules",
        image="pipelines",
        command=(*place.program("python"), "-m", "pipelines", "schedule"),
        after=("prefect", "mlflow", "store"),
        environment=_QUIET
        | platform(place)
        | {
            "STEWARD_PIPELINES_METRICS_HOST": place.bind,
            "STEWARD_PIPELINES_METRICS_PORT": str(place.port("schedules-metrics")),
        },
        secrets=("pgpass_decisions", "store_credentials"),
        metrics="schedules-metrics",
        uses_home=True,
        listens=False,
        stop_seconds=60,
        stop_signal="INT",
    )


def _replica(place: Place, name: str) -> Service:
    return Service(
        name=name,
        image="serving",
        command=(*place.program("python"), "-m", "serving"),
        ready="/health/live",  # it answers once it has a model: the proxy looks at that
        after=("postgres",),
        environment=_QUIET
        | {key: value for key, value in platform(place).items() if key in ("STEWARD_HOME", "STEWARD_DATABASE_URL", "PGPASSFILE")}
        | {"STEWARD_SERVING_HOST": place.bind, "STEWARD_SERVING_PORT": str(place.port(name))},
        secrets=("pgpass_decisions",),
        metrics=name,
        uses_home=True,
        stop_seconds=50,
    )


def _proxy(place: Place) -> Service:
    backends = {f"PROXY_{name.upper().replace('-', '_')}": address(place, name) for name in REPLICAS}
    return Service(
        name="proxy",
        image="proxy",
        command=(*place.program("haproxy"), "-db", "-f", place.config("haproxy.cfg")),
        after=REPLICAS,
        environment={
            "PROXY_DOOR": f"{place.bind}:{place.port('proxy')}",
            "PROXY_METRICS": f"{place.bind}:{place.port('proxy-metrics')}",
            "PROXY_SOCKET": f"{place.data('proxy')}/admin.sock",
            **backends,
        },
        configs=("haproxy.cfg",),
        metrics="proxy-metrics",
        keeps_data=True,
        published=True,
        stop_seconds=60,
        stop_signal="USR1",  # stop listening, finish what is in flight
    )


def _console(place: Place) -> Service:
    return Service(
        name="console",
        image="console",
        command=(*place.program("python"), "-m", "monitoring"),
        ready="/",
        after=("prefect", "store"),
        environment=_QUIET
        | _lake(place)
        | {
            "STEWARD_HOME": place.home,
            "STEWARD_DATABASE_URL": platform(place)["STEWARD_DATABASE_URL"],
            "PGPASSFILE": f"{place.secrets}/pgpass_decisions",
            "STEWARD_MONITORING_HOST": place.bind,
            "STEWARD_MONITORING_PORT": str(place.port("console")),
            "STEWARD_MONITORING_PREFECT_URL": platform(place)["PREFECT_API_URL"],
        },
        secrets=("pgpass_decisions", "store_credentials"),
        metrics="console",
        uses_home=True,
        published=True,
    )


def _alertmanager(place: Place) -> Service:
    return Service(
        name="alertmanager",
        image="alertmanager",
        command=(
            *place.program("alertmanager"),
            f"--config.file={place.config('kept.yml')}",
            f"--storage.path={place.data('alertmanager')}",
            f"--web.listen-address={place.bind}:{place.port('alertmanager')}",
            "--cluster.listen-address=",
        ),
        ready="/-/ready",
        configs=("kept.yml",),
        metrics="alertmanager",
        keeps_data=True,
        published=True,
    )


def _prometheus(place: Place) -> Service:
    return Service(
        name="prometheus",
        image="prometheus",
        command=(
            *place.program("prometheus"),
            f"--config.file={place.config('prometheus.yml')}",
            f"--storage.tsdb.path={place.data('prometheus')}",
            "--storage.tsdb.retention.time=30d",
            f"--web.listen-address={place.bind}:{place.port('prometheus')}",
        ),
        ready="/-/ready",
        after=("alertmanager",),
        configs=("prometheus.yml",),
        metrics="prometheus",
        keeps_data=True,
        published=True,
    )


def _grafana(place: Place) -> Service:
    return Service(
        name="grafana",
        image="grafana",
        command=(),
        ready="/api/health",
        after=("prometheus",),
        environment={
            "GF_SERVER_HTTP_PORT": str(place.port("grafana")),
            "GF_SECURITY_ADMIN_PASSWORD__FILE": f"{place.secrets}/grafana_admin",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        },
        secrets=("grafana_admin",),
        keeps_data=True,
        published=True,
        containers_only=True,
    )
