"""The forwarder's process."""

import sys

from producers.forward.forwarder import Forwarder
from producers.forward.session import quiet_client
from sendtrail.errors import SettingsError, TopicsError
from sendtrail.metrics import begin
from sendtrail.process import AdminServer, StopSignal, run_stage, setup_logging
from sendtrail.settings import EXIT_CODE, Config, ForwardSettings, KafkaSettings


def main(config: Config) -> int:
    """Run until SIGTERM or SIGINT. Exit code 0, or 3 where settings and topics don't fit."""
    log = setup_logging("forward")
    quiet_client()
    stop = StopSignal().install()
    try:
        settings = config.section(ForwardSettings)
        begin("forward")
        forwarder = Forwarder(config.section(KafkaSettings), settings, stop.is_set)
        admin = AdminServer(settings.admin_host, settings.admin_port, forwarder.health).start()
        log.info("started", admin_port=admin.port, spool_dirs=[str(path) for path in settings.spool_dirs])
        try:
            forwarder.run()
        finally:
            admin.stop()
    except (SettingsError, TopicsError) as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    return 0


if __name__ == "__main__":
    run_stage(main)
