"""A mail that came back -> what is told of it. Pure."""

from producers.mta.match import Matcher
from producers.mta.reports import Unreadable, original, read, told_of_unreadable
from producers.mta.told import Told
from sendtrail.errors import Invalid


def told_of(mail: bytes, matcher: Matcher) -> list[Told]:
    """One for each recipient the mail reports about; one that is refused where it can't be read. Never raises."""
    return [_plain(told) for told in _told_of(mail, matcher)]


def _told_of(mail: bytes, matcher: Matcher) -> list[Told]:
    report = read(mail)
    if isinstance(report, Unreadable):
        return [told_of_unreadable(mail, report)]
    try:
        identity = matcher.identity(report)
    except Exception as error:  # as in reports.read: what came back was made by strangers
        identity = Invalid("unattributed", f"{type(error).__name__}: {error}"[:500])
    if isinstance(identity, Invalid):
        time_ms = report.outcomes[0].time_ms
        return [Told(refused="unattributed", diagnostic=identity.detail, time_ms=time_ms, original=original(mail))]
    return [
        Told(
            kind=outcome.kind, time_ms=outcome.time_ms, id=f"{report.id}:{number}", metadata=identity,
            email=outcome.email, reason=outcome.reason, diagnostic=outcome.diagnostic,
        )
        for number, outcome in enumerate(report.outcomes)
    ]  # fmt: skip


def _plain(told: Told) -> Told:
    """Without what no encoder takes: the parser keeps stray bytes as lone surrogates."""
    for name in ("id", "email", "diagnostic"):
        setattr(told, name, getattr(told, name).encode("utf-8", "replace").decode())
    return told
