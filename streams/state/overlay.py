"""The state as one batch sees it: what the store holds, under what the batch has written. Memory only."""

from collections.abc import Callable, Sequence

Read = Callable[[list[bytes]], Sequence[bytes | None]]


class Overlay:
    """Reads many keys at once through `read`; keeps writes until the batch is acknowledged."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._seen: dict[bytes, bytes | None] = {}
        self.written: dict[bytes, bytes] = {}

    def load(self, keys: Sequence[bytes]) -> None:
        """Read those keys that were not read or written before."""
        missing = [key for key in keys if key not in self._seen]
        if missing:
            self._seen.update(zip(missing, self._read(missing), strict=True))

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; one that was not loaded is read by itself."""
        if key not in self._seen:
            self.load([key])
        return self._seen[key]

    def put(self, key: bytes, value: bytes) -> None:
        """Write; seen by the events that follow in the batch."""
        self._seen[key] = self.written[key] = value
