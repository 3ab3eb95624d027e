"""What the state keeps of a message's hits of one log day, so that they can be judged again when more is known.

Nothing is changed in place: what a later record says of a hit is added with that record's place in the log. Judging at
a place looks only at what lies before it, so a record that is read again is judged as it was, although the state is
ahead.
"""

from collections.abc import Sequence

import msgspec

from sendtrail.events import Class

#: Hits kept per message and day, newest last: enough for a scanner that follows all links twice.
KEPT = 32


class Judgement(msgspec.Struct, array_like=True, gc=False):
    """What a hit was taken for, from the record at `place` on."""

    place: bytes
    class_: Class
    reasons: tuple[str, ...]
    repeat: bool


class Evidence(msgspec.Struct, array_like=True, gc=False):
    """What hits of other messages show of a hit, from the record at `place` on: a reason to call it a machine's."""

    place: bytes
    reason: str


class Hit(msgspec.Struct, array_like=True, gc=False):
    """A hit, or the delivery of its message. `place` in the log; times are UTC milliseconds; `event_id` 16 bytes.

    `class_`, `reasons`: by its own request alone. `judgements`: with the other hits, in order of the log, the first
    of its own record where that says something else; `evidence`: from other messages. `fixed`: nothing another hit
    shows changes it.
    """

    place: bytes
    event_id: bytes
    kind: str
    time_ms: int
    log_ms: int
    class_: Class
    reasons: tuple[str, ...]
    client: bytes = b""
    link: int = 0
    honeypot: bool = False
    fixed: bool = False
    judgements: tuple[Judgement, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    def judged(self, before: bytes) -> Judgement:
        """As it stood before a place in the log."""
        for judgement in reversed(self.judgements):
            if judgement.place < before:
                return judgement
        return self.by_itself()

    def by_itself(self) -> Judgement:
        """By its own request alone."""
        return Judgement(self.place, self.class_, self.reasons, False)


_decoder = msgspec.msgpack.Decoder(list[Hit])
_encoder = msgspec.msgpack.Encoder()


def hits_value(hits: Sequence[Hit]) -> bytes:
    """The newest KEPT hits as bytes, in order of the log."""
    return _encoder.encode(hits[-KEPT:])


def read_hits(value: bytes | None) -> list[Hit]:
    """Hits in order of the log."""
    return [] if value is None else _decoder.decode(value)
