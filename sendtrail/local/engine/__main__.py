"""Runs the embedded engine in the foreground.

python -m sendtrail.local.engine --data DIR --native-port N --http-port N --password-file FILE
"""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

from sendtrail.local.engine.core import Core
from sendtrail.local.engine.http import serve_until_signal
from sendtrail.local.engine.secret import Credentials, ensure_password
from sendtrail.local.engine.server import NativeServer
from sendtrail.local.process import die_with_parent

_DRAIN_TIMEOUT_S = 15.0
_LOG_LEVEL = logging.INFO


def _lock(data_dir: Path) -> int:
    """Hold the data directory until the process ends."""
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"an engine already runs on {data_dir}")
    return descriptor


def main(
    data: Annotated[Path, typer.Option(help="Directory of the engine's data.")],
    native_port: Annotated[int, typer.Option(help="Port of the native protocol.")] = 9000,
    http_port: Annotated[int, typer.Option(help="Port of the HTTP interface.")] = 8123,
    password_file: Annotated[
        Path | None, typer.Option(help="File with the password; made if missing. Default: in the data directory.")
    ] = None,
    max_connections: Annotated[int, typer.Option(help="Native clients at a time.")] = 256,
    max_queries: Annotated[int, typer.Option(help="Queries running at a time.")] = 32,
) -> None:
    """Serve one data directory until SIGTERM or SIGINT; running queries are given time to finish."""
    die_with_parent()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_LOG_LEVEL))
    data = data.absolute()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    _lock(data)
    credentials = Credentials(ensure_password(password_file or data / "password"))
    core = Core(data / "store", max_queries)
    try:
        native = NativeServer(core, credentials, native_port, max_connections)
        native.start()
        serve_until_signal(core, credentials, http_port, native.stop_accepting)
    except OSError as error:
        sys.exit(f"cannot listen on 127.0.0.1:{native_port} and 127.0.0.1:{http_port}: {error}")
    native.close(_DRAIN_TIMEOUT_S)
    core.close()


if __name__ == "__main__":
    typer.run(main)
