# The scoring service: answers with what the release channel holds. No pipeline tool, no compiler.
FROM python:3.11-bookworm AS build
WORKDIR /build
COPY infra/images/serving.lock requirements.lock
# The secrets are optional: the certificates and settings by which this machine reaches its package index.
RUN --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m pip install --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: \
        --target /opt/steward --requirement requirements.lock
COPY models code/models/
COPY monitoring code/monitoring/
COPY serving code/serving/
COPY infra/images/named.py pyproject.toml ./
# Tests, sources and the tools of libraries go. Byte code is made now, as nothing can be written later.
# Libraries that wheels carry beside them (*.libs) are left as they are: their makers have moved their parts.
RUN mv code/* /opt/steward/ && python named.py /opt/steward \
    && find /opt/steward -depth -type d \( -path '*/onnx/backend/test' -o -name tests \) -exec rm -rf {} + \
    && find /opt/steward -type f \( -name '*.pyi' -o -name '*.h' -o -name '*.c' -o -name '*.cc' -o -name '*.pyx' -o -name '*.pxd' \) -delete \
    && find /opt/steward -type f -name '*.so' -not -path '*.libs/*' -exec strip --strip-unneeded {} + \
    && rm -rf /opt/steward/onnxruntime/tools /opt/steward/onnxruntime/transformers /opt/steward/onnxruntime/quantization \
        /opt/steward/sqlalchemy/testing /opt/steward/numpy/f2py /opt/steward/bin \
    && python -m compileall -q -j 0 /opt/steward

FROM python:3.11-slim-bookworm
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="steward-serving" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/steward --shell /usr/sbin/nologin steward \
    && install -d -o steward -g steward -m 0700 /var/lib/steward
COPY --from=build /opt/steward /opt/steward
COPY infra/images/serve /usr/local/bin/serve
ENV PYTHONPATH=/opt/steward PATH=/opt/steward/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STEWARD_HOME=/var/lib/steward DO_NOT_TRACK=true MLFLOW_DISABLE_TELEMETRY=true ORT_DISABLE_TELEMETRY=1
USER 10001:10001
WORKDIR /opt/steward
VOLUME /var/lib/steward
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('STEWARD_SERVING_PORT', '8080') + '/health/live', timeout=4)"]
CMD ["python", "-m", "serving"]
