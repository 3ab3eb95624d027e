"""What report `who` lists: which messages or recipients, and the columns of either. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from dashboards.shape import Column, Lead, Note
from dashboards.words import STATES as STATES_BY_NAME

Which = Literal[
    "opened", "clicked", "opened-not-clicked", "neither", "inactive", "opted-out", "unsubscribed", "complained",
    "sent", "delivered", "deferred", "bounced", "bounced-hard", "bounced-soft", "rejected",
]  # fmt: skip
Sort = Literal["message", "clicks"]

_RECIPIENT = Lead("recipient", {"recipient": "recipient_key"})
MESSAGES = [
    Column(
        "recipient",
        "recipient",
        "text",
        "as the sender calls it, else its key; empty = not known",
        leads_to=_RECIPIENT,
    ),
    Column("recipient_key", "recipient key", "text", "64-bit key, in decimal", shown=False),
    Column("message", "message", "text", "as the sender calls it, else its key", gives_way=3),
    Column("message_key", "message key", "text", "64-bit key, in decimal", shown=False),
    Column("delivery", "delivery", "text", "its label, else its name, else its key", gives_way=4),
    Column("delivery_key", "delivery key", "text", "64-bit key, in decimal", shown=False),
    Column("domain", "domain", "text", "of the e-mail address, as the feed says", gives_way=2),
    Column("state", "state", "text", "of the message, as the feed says; empty = not known"),
    Column("first_open", "first open", "time", "first open hit in the cut"),
    Column("first_click", "first click", "time", "first click hit in the cut"),
    Column("opens", "opens", "count", "open hits", shown=False),
    Column("clicks", "clicks", "count", "click hits; on the links asked for, where some are"),
    Column("last_hit", "last hit", "time", "of any kind, in the cut", gives_way=1),
]
RECIPIENTS = [
    Column("recipient", "recipient", "text", "as the sender calls it, else its key", leads_to=_RECIPIENT),
    Column("recipient_key", "recipient key", "text", "64-bit key, in decimal", shown=False),
    Column("domain", "domain", "text", "of the e-mail address, as the feed says", gives_way=1),
    Column("messages", "messages", "count", "of the deliveries looked at, to this recipient"),
    Column("last_hit", "last hit", "time", "of any kind, in the cut; empty = none"),
]
#: By code, as table message_state has them; empty where nothing is known of the message.
STATES = ["", *(title for state, title in STATES_BY_NAME.items() if state)]
TITLES: dict[Which, Note] = {
    "opened": Note("Opened"),
    "clicked": Note("Clicked"),
    "opened-not-clicked": Note("Opened, not clicked"),
    "neither": Note("Neither opened nor clicked"),
    "inactive": Note("Inactive recipients"),
    "opted-out": Note("Opted out"),
    "unsubscribed": Note("Unsubscribed"),
    "complained": Note("Complained"),
    "sent": Note("Sent, no answer yet"),
    "delivered": Note("Delivered"),
    "deferred": Note("Deferred"),
    "bounced": Note("Bounced"),
    "bounced-hard": Note("Bounced, hard"),
    "bounced-soft": Note("Bounced, soft"),
    "rejected": Note("Rejected"),
}


_EVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Wanted:
    """Which messages, and which page of them. `link`: label, URL or url id; `link` and `category` "" = any.

    `silent_since`: of the inactive ones; `clicks`: at least so many.
    """

    which: Which = "opened"
    link: str = ""
    category: str = ""
    clicks: int = 1
    silent_since: datetime = _EVER
    sort: Sort = "message"
    limit: int = 100
    offset: int = 0

    @property
    def by_link(self) -> bool:
        """Whether only some links count."""
        return bool(self.link or self.category)
