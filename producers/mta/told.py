"""What the commands beside a mail server tell the API: POST /v1/mta/{source}, a JSON array of these."""

from typing import Annotated

import msgspec
from msgspec import Meta

from sendtrail.events import BounceReason, FeedKind, RejectReason, Short

#: Sources: part of every event's id.
BOUNCES, POSTFIX, KUMOMTA = "bounces", "postfix", "kumomta"
PATH = "/v1/mta/"


class Told(msgspec.Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that happened to a message, or with `refused` why it could not be told what.

    `metadata`: as of `sendtrail.provider_metadata`; empty where nothing says whose it is. `original`: what was read.
    """

    kind: FeedKind = "bounced"
    time_ms: Annotated[int, Meta(ge=0)] | None = None
    id: Short = ""
    metadata: dict[str, str] = {}
    email: str = ""
    reason: BounceReason | None = None
    diagnostic: str = ""
    refused: RejectReason | None = None
    original: str = ""
