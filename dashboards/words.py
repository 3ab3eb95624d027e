"""Values of closed lists, as people read them; and the words that stand for many values, or for none."""

from collections.abc import Mapping
from typing import Any, Literal

from dashboards.shape import Note, listed

OTHERS, UNKNOWN, TOTAL = Note("Others"), Note("Unknown"), Note("Total")
NOT_KNOWN, UNREGISTERED = Note("not known"), Note("links not registered")

STATES = {
    "": Note("no state yet"),
    "sent": Note("sent, no answer yet", "message"),
    "deferred": Note("deferred", "message"),
    "bounced_soft": Note("bounced, soft", "message"),
    "bounced_hard": Note("bounced, hard", "message"),
    "rejected": Note("rejected", "message"),
    "delivered": Note("delivered", "message"),
}
FLAGS = {"complained": Note("complained", "message"), "unsubscribed": Note("unsubscribed", "message")}
STATUSES = {"draft": Note("draft"), "sending": Note("sending"), "finished": Note("finished")}
REASONS: dict[str, str] = {
    "": "",
    "unknown_user": Note("unknown user"),
    "invalid_domain": Note("invalid domain"),
    "refused": Note("refused"),
    "mailbox_full": Note("mailbox full"),
    "unreachable": Note("unreachable"),
    "policy": Note("policy"),
    "spam": Note("spam"),
    "other": Note("other"),
}
HitClass = Literal["human", "machine", "unknown"]
HitKind = Literal["open", "click", "optout", "mirror", "web", "transaction"]
CLASSES = {"human": Note("human"), "machine": Note("machine"), "unknown": NOT_KNOWN}
#: Keys of classes and kinds of hits, where a table shows nothing else of them.
CLASS_KEYS = {"human": Note("human"), "machine": Note("machine"), "unknown": Note("unknown")}
KIND_KEYS = {
    "open": Note("open"),
    "click": Note("click"),
    "optout": Note("optout"),
    "mirror": Note("mirror"),
    "web": Note("web"),
    "transaction": Note("transaction"),
}
#: What becomes of a link of the template.
MODES = {
    "tracked": Note("tracked"),
    "not_tracked": Note("not_tracked"),
    "always": Note("always"),
    "never": Note("never"),
    "optout": Note("optout"),
    "mirror": Note("mirror"),
}
_KINDS = {
    "open": Note("open"),
    "click": Note("click"),
    "optout": Note("opt-out"),
    "mirror": Note("mirror page"),
    "web": Note("visit"),
    "transaction": Note("transaction"),
}
_HOW = {
    "view": Note("opt-out page seen"),
    "form": Note("opt-out confirmed on the page"),
    "one_click": Note("opt-out by one click"),
}


def kind_of_hit(kind: str, how: str = "") -> str:
    """What somebody did; `how`: of an opt-out."""
    return _HOW.get(how) or _KINDS.get(kind) or kind


_DOMAINS: dict[str, str] = {OTHERS: OTHERS, UNKNOWN: UNKNOWN}


def domain_of(named: str) -> str:
    """A domain as queries name it: those that stand for several are our words."""
    return _DOMAINS.get(named, named)


_MARKS = {2: Note("flood"), 4: Note("foreign"), 8: Note("expired")}
_REPEAT, _SEED = Note("repeat"), Note("seed")


def not_counted(row: Mapping[str, Any]) -> str:
    """Why an event is no hit, from its columns hit, repeat, seed and marks; empty where it is one."""
    if row["hit"]:
        return ""
    marks = [name for bit, name in _MARKS.items() if row["marks"] & bit]
    return listed([_REPEAT] * row["repeat"] + [_SEED] * row["seed"] + marks)
