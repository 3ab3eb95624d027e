"""The process of the report pages and the report API."""

import sys
from pathlib import Path

import uvicorn

from dashboards.export.pdf import NoChromium, chromium
from dashboards.queries import Unreachable
from dashboards.web.access import SERVER_OPTIONS
from dashboards.web.app import make_app
from dashboards.web.pool import Pool
from dashboards.web.site import Site
from sendtrail import keyring
from sendtrail.errors import KeysError, SettingsError
from sendtrail.metrics import begin
from sendtrail.process import AdminServer, Health, StopSignal, listen, run_stage, setup_logging
from sendtrail.settings import (
    EXIT_CODE,
    ClickHouseSettings,
    Config,
    KeySettings,
    ReportSettings,
    RetentionSettings,
    TrackingSettings,
    WebSettings,
)


def main(config: Config) -> int:
    """Serve until SIGTERM or SIGINT. Exit code 0, or 3 where settings or the port are not to be had."""
    log = setup_logging("web")
    begin("web")
    # uvicorn gives the signals back to who had them: this handler, so that the process ends with 0.
    stop = StopSignal().install()
    try:
        settings = config.section(WebSettings)
        site = site_of(config)
        app = make_app(site, settings)
        listener = listen("web", settings.host, settings.port)
        admin = AdminServer(settings.admin_host, settings.admin_port, lambda: _health(site)).start()
    except (SettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    log.info("started", port=listener.getsockname()[1], admin_port=admin.port)
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=3, **SERVER_OPTIONS
        )
    )
    stop.then(lambda: setattr(server, "should_exit", True))  # a signal that comes before uvicorn listens for them
    try:
        server.run(sockets=[listener])
    finally:
        admin.stop()
        site.pool.close()
    log.info("stopped")
    return 0


def site_of(config: Config) -> Site:
    """The installation that settings describe. Raises SettingsError."""
    settings = config.section(WebSettings)
    reports = config.section(ReportSettings)
    try:
        naming_key = keyring.load(config.section(KeySettings).file).naming_key
    except KeysError:
        naming_key = None  # keys and registered names are found without it
    return Site(
        pool=Pool(config.section(ClickHouseSettings), reports, settings.connections),
        naming_key=naming_key,
        persons=config.section(TrackingSettings).visitor_cookies != "off",
        default_zone=reports.timezone,
        api_url=settings.api_url,
        api_key=settings.api_key(),
        chromium=_chromium(reports),
        restorable_days=config.section(RetentionSettings).restorable_days,
    )


def _chromium(reports: ReportSettings) -> Path | None:
    try:
        return chromium(reports.chromium)
    except NoChromium:
        return None


def _health(site: Site) -> Health:
    """Ready where ClickHouse answers."""
    try:
        with site.pool.queries() as queries:
            queries.rows("registry", keys=[], names=[])
    except Unreachable as error:
        return Health(False, {"problem": str(error)})
    except Exception as error:
        return Health(False, {"problem": str(error)})
    return Health(True, {"clickhouse": "answers"})


if __name__ == "__main__":
    run_stage(main)
