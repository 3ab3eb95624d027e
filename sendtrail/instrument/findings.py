"""What a check can find: a closed list of codes, how bad each is, and what to do about it."""

from typing import Literal, NamedTuple, get_args

from sendtrail.instrument.found import NoticeCode

Severity = Literal["error", "warning"]
OwnCode = Literal[
    "bad_ampersand", "bare_ampersand", "link_too_long", "label_missing", "no_date", "no_from",
    "no_message_id", "no_optout", "no_subject", "no_text_part", "no_to", "optout_not_marked", "placeholder_left",
    "private_host", "same_label", "value_missing",
]  # fmt: skip
Code = OwnCode | NoticeCode

#: Severity, and what to do.
CHECKS: dict[str, tuple[Severity, str]] = {
    "bad_ampersand": ("error", "write & as &amp; in HTML, and as it is in text"),
    "bare_ampersand": ("warning", "write & as &amp; in HTML: a later parameter may be read as a character"),
    "link_too_long": ("warning", "shorten the address: mail programs and gateways cut links of over 2,000 characters"),
    "label_missing": ("warning", "give the link text, its image an alt, or data-st-label: reports show the bare URL"),
    "no_date": ("warning", "set Date, or make sure that your mail server does"),
    "no_from": ("error", "set From: servers refuse mail without it"),
    "no_message_id": ("warning", "set Message-ID, or make sure that your mail server does"),
    "no_optout": ("error", 'add a link with data-st-mode="optout", in text sendtrail:optout'),
    "no_subject": ("warning", "set Subject"),
    "no_text_part": ("warning", "add a text/plain alternative: filters distrust mail without one"),
    "no_to": ("warning", "set To"),
    "optout_not_marked": ("warning", 'if this link unsubscribes, mark it with data-st-mode="optout" or a policy rule'),
    "placeholder_left": ("error", "fill it before sending, or choose its syntax in the policy (placeholders)"),
    "private_host": ("error", "link to a host that recipients can reach"),
    "same_label": ("warning", "give each its own data-st-label: reports can't tell them apart by label"),
    "value_missing": ("error", "give every placeholder a value"),
    # what compile says of a message
    "already_tracked": ("warning", "instrument the original, not what came out of an earlier run"),
    "bad_placeholder": ("error", "a placeholder in a link is a name alone, in the policy's syntax"),
    "bad_destination": ("error", "correct the address: it can't be tracked as it is"),
    "clipped": ("warning", "shorten the HTML: Gmail hides what is behind 102 KB"),
    "labels_differ": ("warning", "call one URL by one label"),
    "mirror_without_destination": ("warning", "give the mirror link an address, or let edges keep contents"),
    "optout_not_http": ("warning", "a mailto: opt-out is not counted: use a link, or a policy rule with destination"),
    "parameter_taken": ("warning", "rename the parameter, or web_id in the policy"),
    "personalised_host": ("error", "put placeholders behind the host: the link is not tracked"),
    "relative_link": ("error", "write the whole address: recipients have no page it is relative to"),
    "shows_url": ("warning", "the link is not tracked: let it show words, or set visible_urls in the policy"),
    "too_long": ("warning", "shorten the address: it is not tracked"),
    "too_many_links": ("warning", "split the message: the last links are not tracked"),
    "unfinished_markup": ("error", "close the last tag, comment or element"),
    "unfilled_placeholder": ("error", "move the placeholder into text, a quoted attribute or an address"),
    "unresolved_placeholder": ("error", "give every placeholder a value"),
    "unknown_mode": ("error", "data-st-mode is tracked, not_tracked, always, never, optout or mirror"),
    "header_kept": ("warning", "ours is not in the message: leave that header to Sendtrail"),
    "not_in_charset": ("warning", "send the text part as utf-8"),
    "nothing_to_track": ("error", "give the message a text or HTML part"),
    "part_left": ("warning", "links in it are not tracked"),
    "reencoded": ("warning", "send the part as quoted-printable, or in shorter lines"),
    "sealed": ("error", "instrument first, sign and encrypt afterwards"),
    "undecodable_part": ("error", "correct the part's charset or transfer encoding"),
}
CODES: tuple[str, ...] = (*get_args(OwnCode), *get_args(NoticeCode))


class Finding(NamedTuple):
    """One thing found. `line` and `column` count from 1 in the part's text, 0 where it is no one place."""

    code: str
    severity: Severity
    part: str
    line: int
    column: int
    text: str
    todo: str


def finding(code: Code, part: str, text: str, source: str = "", at: int | None = None) -> Finding:
    """A finding; `at` is its place in the part's `source`."""
    severity, todo = CHECKS[code]
    line = column = 0
    if at is not None:
        line = source.count("\n", 0, at) + 1
        column = at - source.rfind("\n", 0, at)
    return Finding(code, severity, part, line, column, text, todo)
