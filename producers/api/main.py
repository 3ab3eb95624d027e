"""The feed API's process."""

import sys

import uvicorn

from producers.api.access import Access
from producers.api.app import make_app
from producers.api.providers.all import webhooks
from producers.api.spool import ApiSpool
from sendtrail import keyring
from sendtrail.errors import ApiKeysError, KeysError, SettingsError
from sendtrail.metrics import begin
from sendtrail.process import AdminServer, StopSignal, listen, run_stage, setup_logging, watch_disk
from sendtrail.settings import (
    EXIT_CODE,
    AnswerSettings,
    ApiSettings,
    ClickHouseSettings,
    Config,
    KeySettings,
    ProvidersSettings,
    RetentionSettings,
    TrackingSettings,
)


def main(config: Config) -> int:
    """Serve until SIGTERM or SIGINT. Exit code 0, or 3 where settings, keys or the port are not to be had."""
    log = setup_logging("api")
    # uvicorn gives the signals back to who had them: this handler, so that the process ends with 0.
    stop = StopSignal().install()
    try:
        settings = config.section(ApiSettings)
        keys = keyring.load(config.section(KeySettings).file)
        base_url = config.section(TrackingSettings).base_url
        access = Access(settings)
        hooks = webhooks(config.section(ProvidersSettings), keys.naming_key)
        clickhouse = config.section(ClickHouseSettings)
        listener = listen("api", settings.host, settings.port)
        spool = ApiSpool(settings, config.section(AnswerSettings).contents_dir)
        begin("api", "spool")
        watch_disk("spool", settings.spool_dir)
        admin = AdminServer(settings.admin_host, settings.admin_port, spool.health).start()
    except (SettingsError, KeysError, ApiKeysError, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    log.info("started", port=listener.getsockname()[1], admin_port=admin.port, spool_dir=str(settings.spool_dir))
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(
                spool,
                settings.max_body_bytes,
                access,
                hooks,
                clickhouse,
                keys,
                base_url,
                restorable_days=config.section(RetentionSettings).restorable_days,
            ),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=10,
        )
    )
    stop.then(lambda: setattr(server, "should_exit", True))  # a signal that comes before uvicorn listens for them
    try:
        server.run(sockets=[listener])
    finally:
        admin.stop()
        spool.close()
    log.info("stopped")
    return 0


if __name__ == "__main__":
    run_stage(main)
