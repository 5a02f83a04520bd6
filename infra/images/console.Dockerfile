# The viewer: verdicts, reports, champions.
FROM python:3.11-bookworm AS build
WORKDIR /build
COPY infra/images/console.lock requirements.lock
# The secrets are optional: the certificates and settings by which this machine reaches its package index.
RUN --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m pip install --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: \
        --target /opt/steward --requirement requirements.lock
COPY models code/models/
COPY monitoring code/monitoring/
COPY infra/images/named.py pyproject.toml ./
# Byte code is made now, as nothing can be written later.
RUN mv code/* /opt/steward/ && python named.py /opt/steward && python -m compileall -q -j 0 /opt/steward

FROM python:3.11-slim-bookworm
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="steward-console" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/steward --shell /usr/sbin/nologin steward \
    && install -d -o steward -g steward -m 0700 /var/lib/steward
COPY --from=build /opt/steward /opt/steward
ENV PYTHONPATH=/opt/steward PATH=/opt/steward/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STEWARD_HOME=/var/lib/steward DO_NOT_TRACK=true MLFLOW_DISABLE_TELEMETRY=true ORT_DISABLE_TELEMETRY=1
USER 10001:10001
WORKDIR /opt/steward
VOLUME /var/lib/steward
EXPOSE 8090
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('STEWARD_MONITORING_PORT', '8090') + '/', timeout=4)"]
CMD ["python", "-m", "monitoring"]
