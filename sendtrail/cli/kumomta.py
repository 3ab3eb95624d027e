"""sendtrail kumomta: KumoMTA's Kafka log topic -> the feed API."""

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("kumomta")(kumomta)


def kumomta(
    once: Annotated[bool, typer.Option("--once", help="Stop at the present end of the topic.")] = False,
) -> None:
    """Follow KumoMTA's log topic in Kafka (mta.kumomta_…) and tell the feed API what it says.

    Offsets are committed once the API has what was read. Ends with a JSON summary. A log hook over HTTP needs no
    command: it calls the webhook /v1/webhooks/kumomta.
    """
    from producers.mta.kumomta_log import KumoMtaLog
    from sendtrail.cli.config import load
    from sendtrail.feed import Feed
    from sendtrail.settings import FeedSettings, MtaSettings

    config = load()
    feeding = config.section(FeedSettings)
    log, told = KumoMtaLog(config.section(MtaSettings)), 0
    try:
        with Feed(feeding.url, feeding.secret()) as feed:
            while True:
                told += (read := log.tell(feed))
                if once and not read and log.at_end():
                    break
    except KeyboardInterrupt:
        pass
    finally:
        log.close()
    print(json.dumps({"records": told}))
