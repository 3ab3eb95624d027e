"""sendtrail postfix-log: Postfix's log -> the feed API."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer

from sendtrail.errors import SendtrailError

_PAUSE_S = 1.0
_SAVE_S = 5.0
_LOCAL = Path("/etc/localtime")


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("postfix-log")(postfix_log)


def postfix_log(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The log: syslog's, or that of maillog_file.")],
    position: Annotated[
        Path, typer.Option(help="File that remembers how far the log was read, and whose the queued messages are.")
    ] = Path(".sendtrail/postfix.position"),
    once: Annotated[bool, typer.Option("--once", help="Stop at the end of the log instead of following it.")] = False,
    timezone: Annotated[str, typer.Option(help="Of times without an offset; else that of this machine.")] = "",
) -> None:
    """Follow Postfix's log and tell the feed API what was delivered, bounced or deferred.

    Whose a message is comes from header_checks lines or from mta.message_id_pattern (docs/providers.md). The position
    moves once the API has what was read; reading again from an older one changes nothing. Ends with a JSON summary.
    """
    from producers.mta.follow import Follower, Position, queue_of
    from sendtrail.cli.config import load
    from sendtrail.feed import Feed
    from sendtrail.settings import FeedSettings

    config, known = load(), Position.load(position)
    log = _log(config, _zone(timezone), queue_of(known))
    follower, feeding = Follower(file, known), config.section(FeedSettings)
    told, saved = 0, time.monotonic()
    try:
        with Feed(feeding.url, feeding.secret()) as feed:
            while (read := _step(follower, log, feed)) is not None or not once:
                told += read or 0
                if time.monotonic() - saved > _SAVE_S:
                    Position(follower.inode, follower.offset, dict(log.queue)).save(position)
                    saved = time.monotonic()
                if read is None:
                    time.sleep(_PAUSE_S)
        Position(follower.inode, follower.offset, dict(log.queue)).save(position)
    except KeyboardInterrupt:  # perhaps between reading and telling: the position of some seconds ago is right
        pass
    finally:
        follower.close()
    if follower.lost:
        print("sendtrail: the log was rotated away before it was read to its end", file=sys.stderr)
    print(json.dumps({"told": told, "unmatched": log.unmatched, "queued": len(log.queue)}))


def _step(follower: Any, log: Any, feed: Any) -> int | None:
    """Some lines: how many outcomes were told, None at the end of the log."""
    from producers.mta.told import POSTFIX, tell

    lines = follower.read()
    if not lines:
        return None
    now = datetime.now(UTC)
    told = [outcome for line in lines if (outcome := log.read(line, now)) is not None]
    tell(feed, POSTFIX, map(msgspec.json.encode, told))
    return len(told)


def _log(config: Any, zone: Any, queue: Any) -> Any:
    from producers.mta.match import verp_regex
    from producers.mta.postfix import PostfixLog
    from sendtrail import keyring
    from sendtrail.settings import KeySettings, MtaSettings

    pattern = config.section(MtaSettings).message_id_pattern
    if not pattern:
        return PostfixLog(zone, None, bytes(32), queue)
    keys = keyring.load(config.section(KeySettings).file)
    return PostfixLog(zone, verp_regex(pattern, "mta.message_id_pattern"), keys.naming_key, queue)


def _zone(name: str) -> Any:
    """With its summer time: a line's time must be the same whenever it is read."""
    try:
        if name:
            return ZoneInfo(name)
        with _LOCAL.open("rb") as file:
            return ZoneInfo.from_file(file)
    except FileNotFoundError:
        return UTC
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SendtrailError(f"no time zone {name!r}, try Europe/Madrid") from error
