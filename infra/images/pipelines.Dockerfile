# The worker that runs the schedules; with its tools also MLflow's and Prefect's servers, and what takes and restores backups.
FROM python:3.11-bookworm AS build
WORKDIR /build
COPY infra/images/pipelines.lock requirements.lock
# The secrets are optional: the certificates and settings by which this machine reaches its package index.
RUN --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m pip install --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: \
        --target /opt/steward --requirement requirements.lock
COPY models code/models/
COPY monitoring code/monitoring/
COPY serving code/serving/
COPY pipelines code/pipelines/
COPY infra/__init__.py infra/licences.toml infra/told.py code/infra/
COPY infra/backup code/infra/backup/
COPY infra/postgres code/infra/postgres/
COPY infra/topology code/infra/topology/
COPY requirements.lock code/requirements.lock
COPY infra/images/named.py pyproject.toml ./
# Byte code is made now, as nothing can be written later.
RUN mv code/* /opt/steward/ && python named.py /opt/steward && python -m compileall -q -j 0 /opt/steward

FROM python:3.11-slim-bookworm
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="steward-pipelines" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.licenses="Apache-2.0"
# LightGBM asks the system for it. Debian 12 has one version of it, and mends that.
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/steward --shell /usr/sbin/nologin steward \
    && install -d -o steward -g steward -m 0700 /var/lib/steward
COPY --from=build /opt/steward /opt/steward
ENV PYTHONPATH=/opt/steward PATH=/opt/steward/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STEWARD_HOME=/var/lib/steward DO_NOT_TRACK=true MLFLOW_DISABLE_TELEMETRY=true ORT_DISABLE_TELEMETRY=1
USER 10001:10001
WORKDIR /opt/steward
VOLUME /var/lib/steward
# Whether its interpreter and tools load; a run that fails is Prefect's to show.
HEALTHCHECK --interval=60s --timeout=30s --start-period=30s --retries=3 CMD ["python", "-c", "import pipelines.settings"]
CMD ["python", "-m", "pipelines", "schedule"]
