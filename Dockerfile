# Targets: `stage` (default), one process of the line; `web`, the report pages with a Chromium to print PDF; `micro`, the
# whole line as `sendtrail up`, which listens on the loopback interface only: run it with `--network host`.

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /venv
COPY requirements-run.lock .
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements-run.lock
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && /venv/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM build AS build-micro
COPY requirements-micro.lock .
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements-micro.lock

FROM python:3.13-slim AS base
RUN useradd --system --create-home --home-dir /var/lib/sendtrail sendtrail \
    && install -d -o sendtrail /var/lib/sendtrail/keys /var/lib/sendtrail/spool \
       /var/lib/sendtrail/state /var/lib/sendtrail/checkpoints /var/lib/sendtrail/loader \
       /var/lib/sendtrail/relay /var/lib/sendtrail/web /var/lib/sendtrail/api
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
USER sendtrail
WORKDIR /var/lib/sendtrail
STOPSIGNAL SIGTERM
ENTRYPOINT ["sendtrail"]

FROM base AS micro
COPY --from=build-micro /venv /venv
VOLUME /var/lib/sendtrail/.sendtrail
CMD ["up"]

FROM base AS web
USER root
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
USER sendtrail
COPY --from=build /venv /venv
CMD ["web"]

FROM base AS stage
COPY --from=build /venv /venv
CMD ["--help"]
