"""What a mail server answered -> one of the reasons of METRICS. Pure; for providers, bounce mails and MTA logs alike.

The enhanced status code (RFC 3463) decides where it says something; else the words, else the three digits. A temporary
answer never gives a reason that counts as hard: it did not say that the address is wrong for good.
"""

import re

from sendtrail.events import BounceReason

HARD: frozenset[BounceReason] = frozenset(("unknown_user", "invalid_domain"))

#: By subject and detail of the code.
_BY_CODE: dict[str, BounceReason] = {
    "1.1": "unknown_user", "1.2": "invalid_domain", "1.3": "unknown_user", "1.4": "unknown_user",
    "1.6": "unknown_user", "1.7": "policy", "1.8": "policy", "1.9": "policy", "1.10": "invalid_domain",
    "2.1": "unknown_user", "2.2": "mailbox_full", "2.3": "policy", "2.4": "other", "3.1": "unreachable",
    "3.2": "unreachable", "3.3": "other", "3.4": "policy", "3.5": "unreachable", "4.1": "unreachable",
    "4.2": "unreachable", "4.3": "unreachable", "4.4": "invalid_domain", "4.5": "unreachable", "4.6": "unreachable",
    "4.7": "unreachable", "5.4": "refused", "7.2": "refused", "7.3": "policy", "7.7": "policy", "7.8": "policy",
    "7.9": "policy", "7.20": "policy", "7.21": "policy", "7.22": "policy", "7.23": "policy", "7.24": "policy",
    "7.25": "policy", "7.26": "policy", "7.27": "policy", "7.28": "policy", "7.29": "policy",
}  # fmt: skip
#: What Exchange says with codes that stand for something else: an address its directory does not know.
_EXCHANGE: dict[str, re.Pattern[str]] = {
    "1.10": re.compile(r"recipient ?not ?found", re.IGNORECASE),
    "4.1": re.compile(r"recipient address rejected: access denied", re.IGNORECASE),
}
#: For the soft ones of a temporary answer.
_TEMPORARY: dict[BounceReason, BounceReason] = {"unknown_user": "other", "invalid_domain": "unreachable"}

_PATTERNS: tuple[tuple[BounceReason, str], ...] = (
    ("mailbox_full", r"over ?quota|quota exceeded|exceeded (?:storage|quota)|(?:mail|in)box (?:is )?full|"
                     r"insufficient (?:system )?storage|out of storage"),
    ("spam", r"\bspam|junk|unsolicited|\bbulk mail|content rejected|virus|malware|phish"),
    ("invalid_domain", r"(?:domain|host)(?: name)?[ a-z]{0,8} (?:not found|does not exist|unknown)|"
                       r"(?:invalid|unknown|bad|no such) (?:domain|host)|nxdomain|null mx|no mx record|"
                       r"unrouteable (?:domain|address)|name service error"),
    ("unknown_user", r"(?:unknown|no such|invalid|bad|non-?existent|disabled) (?:user|recipient|mailbox|account|"
                     r"(?:e-?mail )?address)|(?:user|recipient|mailbox|account|address)[ a-z<>@.\"'-]{0,60}?"
                     r"(?:unknown|not found|does ?n[o']t exist|not exist|is disabled|unavailable|not available|"
                     r"inactive|no longer)|user doesn't|bounced address|invalid mailbox"),
    ("policy", r"policy|black ?list|block ?list|blocked|\bdnsbl\b|\brbl\b|reputation|\bspf\b|\bdkim\b|\bdmarc\b|"
               r"rate limit|too many|greylist|too (?:large|big)|unsubscribed address|reporting address"),
    ("unreachable", r"timed? ?out|connection (?:refused|reset|lost|closed)|unable to connect|no route|"
                    r"unreachable|try again later|network|temporar|expired|too old"),
    ("refused", r"refused|rejected|denied|not (?:authorized|permitted|allowed|accepted)|prohibited"),
)  # fmt: skip
_WORDS = tuple((reason, re.compile(pattern, re.IGNORECASE)) for reason, pattern in _PATTERNS)
_BY_DIGITS: dict[int, BounceReason] = {
    421: "unreachable", 450: "unreachable", 451: "unreachable", 452: "mailbox_full", 550: "refused", 551: "refused",
    552: "mailbox_full", 553: "refused", 554: "refused", 556: "invalid_domain",
}  # fmt: skip
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3}\.\d{1,3})(?![\d.])")
_DIGITS = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")
_LOOKED_AT = 4096


def reason_of(text: str, status: str = "") -> BounceReason:
    """The reason in a server's answer `text`; `status`: an enhanced code or three digits, where it stands apart."""
    text = text[:_LOOKED_AT]
    found = _ENHANCED.search(status) or _ENHANCED.search(text)
    digits = _DIGITS.search(status) or _DIGITS.search(text)
    temporary = (found.group(1) if found else digits.group(1)[0] if digits else "5") == "4"
    reason = _reason(text, found.group(2) if found else "", int(digits.group(1)) if digits else 0)
    return _TEMPORARY.get(reason, reason) if temporary else reason


def _reason(text: str, code: str, digits: int) -> BounceReason:
    if code in _EXCHANGE and _EXCHANGE[code].search(text):
        return "unknown_user"
    if code in _BY_CODE:
        return _BY_CODE[code]
    for reason, pattern in _WORDS:
        if pattern.search(text):
            return reason
    if code.startswith("7."):
        return "refused"
    if code.startswith(("3.", "4.")):
        return "unreachable"
    return _BY_DIGITS.get(digits, "other")
