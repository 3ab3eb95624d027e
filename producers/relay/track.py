"""A mail as it came in -> the mail that goes on, its `sent` event, and its URLs for the registry."""

import hashlib
from typing import NamedTuple

from msgspec.structs import replace

from producers.relay.directions import Received, receive
from producers.relay.next_hop import Envelope
from sendtrail.deliveries import DeliveryUrl
from sendtrail.errors import BadName, Invalid
from sendtrail.events import FLAG_PROOF, FLAG_SEED, VERSION, Event
from sendtrail.ids import feed_id
from sendtrail.instrument.mime import compile_message
from sendtrail.instrument.policy import Policy
from sendtrail.instrument.providers import Provider
from sendtrail.keyring import Keyring
from sendtrail.naming import MAX_NAME_BYTES, key, length_prefixed

SOURCE = "relay"
MAX_HOPS = 100


class Outgoing(NamedTuple):
    """A mail to pass on. `event` has the time 0 and no id yet: `sent_event` gives it both.

    `identity`: of the mail as it came, envelope included; `is_named` tells that it has a Message-ID, so that the same
    identity again is the same mail again.
    """

    envelope: Envelope
    content: bytes
    identity: bytes
    is_named: bool
    event: Event | None
    urls: tuple[DeliveryUrl, ...] = ()
    warnings: tuple[str, ...] = ()


class Tracker:
    """Instruments mails. Safe to share between threads."""

    def __init__(
        self,
        keyring: Keyring,
        base_url: str,
        delivery: str = "",
        account: str = "",
        policy: Policy | None = None,
        provider: Provider | None = None,
    ) -> None:
        """`delivery`: of mail that names none. `provider`: whose headers are added."""
        self._policy = policy
        self._provider = provider
        self._keyring = keyring
        self._base_url = base_url
        self._delivery = delivery
        self._account = account

    def outgoing(self, envelope: Envelope, content: bytes) -> Outgoing | Invalid:
        """The mail to pass on; Invalid, for good, where its headers ask for what can't be."""
        received = receive(content)
        if isinstance(received, Invalid):
            return received
        if received.hops > MAX_HOPS:
            return Invalid("mail_loop", f"the mail has gone through more than {MAX_HOPS} servers")
        identity = _digest(envelope.sender.encode(), envelope.recipient.encode("utf-8", "replace"), content)
        bare = Outgoing(envelope, received.content, identity, bool(received.message_id), None)
        delivery = received.directions.delivery or self._delivery
        if not delivery:
            return bare
        try:
            return self._tracked(bare, received, delivery)
        except BadName as error:
            return Invalid("bad_name", str(error))

    def sent_event(self, mail: Outgoing, time_ms: int) -> Event | None:
        """The mail's event at the time it was first seen. The same mail at the same time is the same event."""
        if mail.event is None:
            return None
        event_id = feed_id(self._keyring.naming_key, time_ms, self._account, SOURCE, mail.identity.hex(), {})
        return replace(mail.event, event_id=event_id, event_time_ms=time_ms)

    def _tracked(self, mail: Outgoing, received: Received, delivery: str) -> Outgoing:
        """Raises BadName."""
        asked, address = received.directions, mail.envelope.recipient
        message = asked.message or message_name(received, address)
        recipient = asked.recipient or (address if len(address.encode()) <= MAX_NAME_BYTES else None)
        compiled = compile_message(
            mail.content, delivery=delivery, account=self._account, keyring=self._keyring, base_url=self._base_url,
            policy=self._policy,
        )  # fmt: skip
        rendered = compiled.render(
            message, recipient, values=asked.values, consent=asked.consent, seed=asked.seed, proof=asked.proof,
            provider=self._provider,
        )  # fmt: skip
        naming = self._keyring.naming_key
        event = Event(
            version=VERSION,
            event_id="0" * 32,
            kind="sent",
            event_time_ms=0,
            account=self._account,
            source=SOURCE,
            delivery=key(naming, self._account, "delivery", delivery),
            message=key(naming, self._account, "message", message),
            recipient=None if recipient is None else key(naming, self._account, "recipient", recipient),
            delivery_name=delivery,
            message_name=message,
            recipient_name=recipient or "",
            flags=FLAG_SEED * asked.seed | FLAG_PROOF * asked.proof,
            domain=address.rpartition("@")[2].lower()[:256],
            format=compiled.format,
            attributes=asked.attributes,
        )
        urls = tuple(compiled.template.urls) if compiled.template else ()
        return mail._replace(
            content=rendered.data, event=event, urls=urls,
            warnings=tuple(f"{notice.code}: {notice.text}" for notice in rendered.warnings),
        )  # fmt: skip


def message_name(received: Received, address: str) -> str:
    """The name of a message that has none: the same for the same mail, another for any other.

    A mail with a Message-ID is known by it and its recipient, one without by its content.
    """
    of_mail = received.message_id.encode("utf-8", "replace") or received.content
    return "mail-" + _digest(of_mail, address.lower().encode("utf-8", "replace")).hex()


def _digest(*parts: bytes) -> bytes:
    return hashlib.blake2b(length_prefixed(*parts), digest_size=16).digest()
