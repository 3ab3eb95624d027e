"""Times as people type them."""

from datetime import UTC, datetime

import typer


def moment(option: str, text: str) -> datetime:
    """A date or a time in ISO 8601, UTC where it names no offset. Raises BadParameter, naming the option."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no time like 2026-06-01 or 2026-06-01T12:00", param_hint=option
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def milliseconds(option: str, text: str | None) -> int:
    """The same in milliseconds since 1970; 0 where nothing is typed."""
    return round(moment(option, text).timestamp() * 1000) if text is not None else 0
