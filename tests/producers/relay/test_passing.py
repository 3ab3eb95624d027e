"""What the relay does when its own disk fails, and what it reads in headers: in this process, with the real parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.relay.answer import Answer
from producers.relay.directions import Received, receive
from producers.relay.journal import REMEMBER_MS, Journal
from producers.relay.next_hop import Envelope, NextHop
from producers.relay.passing import Passing
from producers.relay.spool import RelaySpool
from producers.relay.track import Outgoing, Tracker
from sendtrail.errors import Invalid
from sendtrail.settings import RelaySettings
from tests.producers.relay.running import BASE, Hop
from tests.producers.relay.test_relay import mail
from tests.support.golden import golden_keyring
from tests.support.spools import events, files_up_to

ENVELOPE = Envelope("shop@e.example", "anna@e.example")
NOW_MS = 1_790_000_000_000


class World:
    """A relay without its front, and where it keeps things."""

    def __init__(self, place: Path, hop: Hop, ready_backlog_bytes: int = 1 << 30) -> None:
        self.spool_dir = place / "spool"
        settings = RelaySettings(
            next_hop=f"127.0.0.1:{hop.port}",
            spool_dir=self.spool_dir,
            data_dir=place / "data",
            fsync="none",
            ready_backlog_bytes=ready_backlog_bytes,
        )
        self.now_ms = NOW_MS
        self.journal = Journal(settings.data_dir)
        self.spool = RelaySpool(settings)
        hop_side = NextHop(settings, "relay.example")
        self.passing = Passing(Tracker(golden_keyring(), BASE), self.journal, hop_side, self.spool, lambda: self.now_ms)

    def take(self, content: bytes) -> Answer:
        answer, identity = self.passing.take(ENVELOPE, content, b"")
        if identity is not None:
            self.passing.answered(identity)
        return answer

    def fill_segment(self) -> int:
        """Make the open segment larger than any other file here. Returns its size."""
        event = Tracker(golden_keyring(), BASE).outgoing(ENVELOPE, mail("0", "Delivery: d"))
        assert isinstance(event, Outgoing)
        assert event.event is not None
        for _ in range(1000):
            assert self.spool.add(event.event)
        return self.spool.backlog_bytes()

    def close(self) -> None:
        self.spool.close()
        self.journal.close()


@pytest.fixture
def world(tmp_path: Path, hop: Hop) -> Iterator[World]:
    world = World(tmp_path, hop)
    yield world
    world.close()


def test_a_spool_that_fails_after_the_next_hop_took_the_mail(world: World, hop: Hop, tmp_path: Path) -> None:
    """The mail is out: it is not asked for again, and its event waits in the journal, over a restart too."""
    with files_up_to(world.fill_segment()):
        assert world.take(mail("1", "Delivery: d", "Message: late")).code == 250
    assert (len(hop.mails), len(world.journal.uncounted())) == (1, 1)
    world.close()
    assert "late" not in {event.message_name for event in events(world.spool_dir)}
    again = World(tmp_path, hop)
    again.now_ms += 1000
    assert again.take(mail("2", "Delivery: d")).code == 250
    late = [event for event in events(again.spool_dir) if event.message_name == "late"]
    assert [event.event_time_ms for event in late] == [NOW_MS]
    assert again.journal.uncounted() == []
    again.close()


def test_a_spool_that_is_full_puts_mail_off(hop: Hop, tmp_path: Path) -> None:
    world = World(tmp_path, hop, ready_backlog_bytes=1000)
    world.fill_segment()
    assert world.take(mail("1", "Delivery: d")).code == 452
    assert hop.mails == []
    world.close()


def test_a_mail_without_an_id_goes_again_where_its_sender_had_no_answer(world: World, hop: Hop) -> None:
    """Without a Message-ID the same bytes may be another mail: better twice than never."""
    nameless = mail("1", "Delivery: d").replace(b"Message-ID", b"X-Other")
    for _ in range(2):
        assert world.passing.take(ENVELOPE, nameless, b"")[0].code == 250  # and nobody was told
    assert len(hop.mails) == 2
    named = mail("2", "Delivery: d")
    for _ in range(2):
        world.now_ms += 1
        assert world.passing.take(ENVELOPE, named, b"")[0].code == 250
    assert len(hop.mails) == 3
    assert len({event.event_id for event in events(world.spool_dir)}) == 2


def test_senders_that_never_come_back_are_forgotten(world: World, hop: Hop) -> None:
    world.passing.take(ENVELOPE, mail("1", "Delivery: d"), b"")
    world.journal.expire(NOW_MS + REMEMBER_MS)
    world.passing.take(ENVELOPE, mail("1", "Delivery: d"), b"")
    assert len(hop.mails) == 1
    world.journal.expire(NOW_MS + REMEMBER_MS + 1)
    world.passing.take(ENVELOPE, mail("1", "Delivery: d"), b"")
    assert len(hop.mails) == 2


def test_a_mail_that_is_being_passed_on_is_not_taken_twice(world: World, hop: Hop) -> None:
    inner: list[int] = []

    def end() -> str:
        hop.end = "250 ok"
        inner.append(world.take(mail("1")).code)
        return "250 ok"

    hop.end = end
    assert world.take(mail("1")).code == 250
    assert inner == [450]
    assert len(hop.mails) == 1


FIELDS = [
    "Subject: a\r\n b\r\n",
    "To: x\r\n",
    "X-Sendtrail-Delivery: d\r\n\t1\r\n",
    "x-sendtrail-seed:yes\r\n",
    "X-Sendtrail: 1\r\n",
]
OURS = tuple(field for field in FIELDS if field.lower().startswith("x-sendtrail-"))


@given(st.permutations(FIELDS), st.sampled_from(["", "\r\n", "\r\nX-Sendtrail-Message: body\r\n"]))
def test_directions_are_taken_off_and_nothing_else(fields: list[str], rest: str) -> None:
    received = receive(("".join(fields) + rest).encode())
    assert isinstance(received, Received)
    assert received.content.decode() == "".join(field for field in fields if field not in OURS) + rest
    assert (received.directions.delivery, received.directions.seed) == ("d\t1", True)


def test_values_of_directions() -> None:
    received = receive(b"X-Sendtrail-Delivery: =?utf-8?q?Fr=C3=BChling?=\r\nX-Sendtrail-Attribute: a = b=c\r\n\r\n")
    assert isinstance(received, Received)
    assert (received.directions.delivery, received.directions.attributes) == ("Fr\u00fchling", {"a": "b=c"})
    nine = "".join(f"X-Sendtrail-Attribute: {n}=x\r\n" for n in range(9))
    assert isinstance(receive(nine.encode()), Invalid)


@given(st.binary(max_size=200))
def test_reading_directions_never_raises(content: bytes) -> None:
    receive(b"X-Sendtrail-Delivery: " + content)
