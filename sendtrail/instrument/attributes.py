"""A sender's own attributes of a message, which come back with its events and which reports can select by."""

from collections.abc import Mapping

from sendtrail.errors import BadAttributes

MAX_ATTRIBUTES = 8
MAX_CHARACTERS = 256


def checked_attributes(attributes: Mapping[str, object]) -> dict[str, str]:
    """Attributes as the feed API takes them. Raises BadAttributes."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise BadAttributes(f"a message has at most {MAX_ATTRIBUTES} attributes, not {len(attributes)}")
    checked: dict[str, str] = {}
    for name, value in attributes.items():
        if not isinstance(value, str) or max(len(name), len(value)) > MAX_CHARACTERS:
            raise BadAttributes(
                f"attribute {name[:80]!r}: names and values are texts of up to {MAX_CHARACTERS} characters"
            )
        checked[name] = value
    return checked
