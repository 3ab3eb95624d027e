"""The state as one batch sees it: what the store holds, under what the batch has written. Memory only."""

from collections.abc import Callable, Sequence

Read = Callable[[list[bytes]], Sequence[bytes | None]]


class Overlay:
    """Reads many keys at once through `read`; keeps writes until the batch is acknowledged.

    `_near`: what was read or written since the last turn. It is small, so that most look-ups find it in the
    processor's cache, which `written` soon outgrows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._near: dict[bytes, bytes | None] = {}
        self.written: dict[bytes, bytes] = {}

    def turn(self) -> None:
        """Forget what was only read: the next events need other keys."""
        self._near = {}

    def load(self, keys: Sequence[bytes]) -> None:
        """Read those keys that were not read since the last turn, nor written."""
        near, written = self._near, self.written
        missing = []
        for key in keys:
            if key in written:
                near[key] = written[key]
            elif key not in near:
                missing.append(key)
        if missing:
            near.update(zip(missing, self._read(missing), strict=True))

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; one that was not loaded is read by itself."""
        near = self._near
        if key not in near:
            self.load((key,))
        return near[key]

    def put(self, key: bytes, value: bytes) -> None:
        """Write; seen by the events that follow in the batch."""
        self._near[key] = self.written[key] = value
