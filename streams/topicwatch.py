"""Is the topic still the one the state belongs to? Kafka's own ids tell; aiokafka does not know them."""

import asyncio
from collections.abc import Callable
from time import monotonic

from kafka.errors import KafkaError

from sendtrail.errors import TopicsError
from streams.errors import Stopped

_FRESH_S = 1.0

ReadId = Callable[[], str]
Clock = Callable[[], float]


class TopicWatch:
    """Compares a topic's id with the one known. `read_id` may block; it runs in a thread."""

    def __init__(self, topic_id: str, read_id: ReadId, told: Callable[[str], str], clock: Clock = monotonic) -> None:
        self.topic_id = topic_id
        self._read_id = read_id
        self._told = told
        self._clock = clock
        self._checked = clock()
        self._turn = asyncio.Lock()

    async def check(self) -> None:
        """Raises Stopped if the topic was made anew. A broker that does not answer proves nothing either way."""
        async with self._turn:
            if self._clock() - self._checked < _FRESH_S:
                return
            try:
                found = await asyncio.to_thread(self._read_id)
            except KafkaError:
                return
            except TopicsError as error:
                raise Stopped(f"{error}. What was in it and not processed is gone") from error
            self._checked = self._clock()
        if found != self.topic_id:
            raise Stopped(self._told(found))
