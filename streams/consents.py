"""Who allows to be tracked no more, as steps look it up."""

from typing import NamedTuple

import structlog

from sendtrail.consents import TRACKING, decode_consent
from sendtrail.errors import Invalid

_NEVER = -1
_log = structlog.stdlib.get_logger(__name__)


class _Said(NamedTuple):
    """The newest of each, UTC milliseconds."""

    withdrawn_ms: int = _NEVER
    granted_ms: int = _NEVER


class ConsentBook:
    """What recipients said of tracking. Memory only; a follower of tracking.consents feeds it.

    At most `limit` recipients. When another one withdraws, it is full: then nobody's hits name a person any more, since
    those of somebody who refused must not.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._said: dict[int, _Said] = {}
        self.full = False

    def __len__(self) -> int:
        return len(self._said)

    def refuses(self, recipient: int, time_ms: int) -> bool:
        """True where a hit of that time must not name who it was.

        While consent is withdrawn, that is every hit that comes, also one made before. After it was granted again, the
        late ones from before that.
        """
        if self.full:
            return True
        said = self._said.get(recipient)
        if said is None or said.withdrawn_ms == _NEVER:
            return False
        return said.withdrawn_ms >= said.granted_ms or time_ms < said.granted_ms

    def apply(self, key: bytes | None, value: bytes | None) -> Invalid | None:
        """Take in a record. Returns why it was refused."""
        if value is None:
            return None  # erased; what was withdrawn stays withdrawn until the next start
        entry = decode_consent(key, value)
        if isinstance(entry, Invalid):
            return entry
        if entry.purpose == TRACKING:
            withdrawn = entry.state == "withdrawn"
            if entry.recipient in self._said or len(self._said) < self._limit:
                self._note(entry.recipient, withdrawn, entry.time_ms)
            elif withdrawn and not self.full:
                self.full = True
                _log.error("consents are full: hits name nobody until max_consents is raised", limit=self._limit)
        return None

    def _note(self, recipient: int, withdrawn: bool, time_ms: int) -> None:
        before = self._said.get(recipient, _Said())
        if withdrawn:
            after = before._replace(withdrawn_ms=max(before.withdrawn_ms, time_ms))
        else:
            after = before._replace(granted_ms=max(before.granted_ms, time_ms))
        self._said[recipient] = after
