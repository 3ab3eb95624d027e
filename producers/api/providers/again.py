"""A webhook's item that was a reject -> the event it is when its adapter reads it again (docs/decisions/0019)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from producers.api.providers import kumomta, mailgun, mapping, postmark, sendgrid, sparkpost
from producers.api.providers.events import EventMaker, is_reject
from producers.api.providers.found import Found
from producers.api.providers.mapping_file import Loaded, load
from sendtrail.errors import Invalid
from sendtrail.events import Event, decode
from sendtrail.settings import ProvidersSettings

Read = Callable[[Any], Found]


def _mapped(loaded: Loaded, naming_key: bytes, item: Any) -> Found:
    return mapping.finding(item, loaded, naming_key)


class ReadAgain:
    """Reads items by the name of their adapter. Raises SettingsError for a mapping file that is none."""

    def __init__(self, settings: ProvidersSettings, naming_key: bytes) -> None:
        self._naming_key = naming_key
        self._readers: dict[str, Read] = {
            sendgrid.NAME: sendgrid.finding,
            mailgun.NAME: mailgun.finding,
            postmark.NAME: postmark.finding,
            sparkpost.NAME: sparkpost.finding,
            kumomta.NAME: kumomta.finding,
        }
        for path in settings.mappings:
            loaded = load(path)
            self._readers[loaded.name] = partial(_mapped, loaded, naming_key)

    def __call__(self, original: bytes, now_ms: int) -> Event | Invalid | None:
        """The event of a reject's bytes, or why it is a reject still; None where they hold no webhook's item."""
        event = decode(original)
        if isinstance(event, Invalid) or not event.original:
            return None
        reader = self._readers.get(event.source)
        if reader is None:
            return Invalid(event.reason, f"items of {event.source} can't be read again by themselves")
        try:
            item = msgspec.json.decode(event.original)
        except (msgspec.DecodeError, RecursionError) as error:
            return Invalid(event.reason, f"the item is no JSON, or was cut: {error}")
        made = EventMaker(self._naming_key, event.source, event.account).event(reader(item), now_ms)
        return Invalid(made.reason, made.diagnostic) if is_reject(made) else made
