"""Mirror links whose page the edge makes itself: the recipient's values ride in the destination (decision 0016).

A mirror link without a destination, or with one on the reserved host `mirror.invalid` (RFC 2606: it never exists),
shows the delivery's stored content. The values of its placeholders are that destination's query.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from sendtrail.errors import BadLink

PREFIX = "https://mirror.invalid/?"
#: Of the query, as it stands in the token. A longer one is taken as none.
MAX_BYTES = 1024
_MAX_VALUES = 64


def destination_with(values: Mapping[str, str]) -> str:
    """The destination of a mirror link with these values by placeholder; "" without any.

    Raises BadLink for more than MAX_BYTES.
    """
    if not values:
        return ""
    query = urlencode(values)
    if len(query) > MAX_BYTES or len(values) > _MAX_VALUES:
        raise BadLink(f"values of a mirror link have at most {MAX_BYTES} bytes, these have {len(query)}")
    return PREFIX + query


def is_stored(destination: str) -> bool:
    """True where the edge shows stored content, False for the address of a copy elsewhere."""
    return not destination or destination.startswith(PREFIX)


def values_in(destination: str) -> dict[str, str]:
    """The values of a destination by placeholder; never raises."""
    query = destination.removeprefix(PREFIX)
    if len(query.encode()) > MAX_BYTES:
        return {}
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_VALUES))
    except ValueError:
        return {}
