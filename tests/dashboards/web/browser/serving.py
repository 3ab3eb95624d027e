"""The real application on a real port, in a thread."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from dashboards.web.access import SERVER_OPTIONS
from dashboards.web.app import make_app
from dashboards.web.pool import Pool
from dashboards.web.site import Site
from sendtrail.settings import ClickHouseSettings, ReportSettings, WebSettings

#: Chromium has no sandbox of its own for root.
SANDBOX = ["--no-sandbox"] if os.geteuid() == 0 else []


@dataclass(frozen=True)
class Served:
    """A running server: where it is, and what it stands on."""

    address: str
    site: Site


@contextmanager
def serve(
    clickhouse: ClickHouseSettings, reports: ReportSettings, settings: WebSettings, chromium: Path | None = None
) -> Iterator[Served]:
    """The pages over a database, until the end of the block."""
    pool = Pool(clickhouse, reports, 2)
    site = Site(pool, None, persons=True, default_zone="UTC", api_url="http://127.0.0.1:9", chromium=chromium)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(site, settings),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            **SERVER_OPTIONS,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", site)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        pool.close()
