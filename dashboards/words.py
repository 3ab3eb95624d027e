"""Values of closed lists, as people read them."""

from collections.abc import Mapping
from typing import Any

STATES = {
    "": "no state yet",
    "sent": "sent, no answer yet",
    "deferred": "deferred",
    "bounced_soft": "bounced, soft",
    "bounced_hard": "bounced, hard",
    "rejected": "rejected",
    "delivered": "delivered",
}
REASONS = {
    "": "",
    "unknown_user": "unknown user",
    "invalid_domain": "invalid domain",
    "refused": "refused",
    "mailbox_full": "mailbox full",
    "unreachable": "unreachable",
    "policy": "policy",
    "spam": "spam",
    "other": "other",
}
CLASSES = {"human": "human", "machine": "machine", "unknown": "not known"}
_KINDS = {
    "open": "open",
    "click": "click",
    "optout": "opt-out",
    "mirror": "mirror page",
    "web": "visit",
    "transaction": "transaction",
}
_HOW = {"view": "opt-out page seen", "form": "opt-out confirmed on the page", "one_click": "opt-out by one click"}


def kind_of_hit(kind: str, how: str = "") -> str:
    """What somebody did; `how`: of an opt-out."""
    return _HOW.get(how) or _KINDS.get(kind, kind)


_MARKS = {2: "flood", 4: "foreign", 8: "expired"}


def not_counted(row: Mapping[str, Any]) -> str:
    """Why an event is no hit, from its columns hit, repeat, seed and marks; empty where it is one."""
    if row["hit"]:
        return ""
    marks = [name for bit, name in _MARKS.items() if row["marks"] & bit]
    return ", ".join(["repeat"] * row["repeat"] + ["seed"] * row["seed"] + marks)
