"""The demo from the first delivery to the ledger: what `sendtrail demo` shows."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from clickhouse_driver import Client
from rich.console import Console
from rich.live import Live
from rich.progress import track
from rich.table import Table

from sendtrail.clickhouse import connect
from sendtrail.instrument.api import Api
from sendtrail.keyring import Keyring
from sendtrail.keyring import load as load_keys
from sendtrail.local.demo.audience import audience
from sendtrail.local.demo.browser import is_counted, send_all
from sendtrail.local.demo.ledger import Balance, Ledger
from sendtrail.local.demo.post import Mailing, Newsletter, newsletters, outcomes
from sendtrail.local.demo.traffic import Letter, Request, forged, sweep, visits
from sendtrail.local.stack import Stack
from sendtrail.settings import ClickHouseSettings, Config, FeedSettings, LoaderSettings, TrackingSettings
from sinks.addresses import kept

SEED = 20_261_124
_REFRESH_S = 0.5
_DRAIN_S = 60.0
_LIVE_PAUSE_S = 0.4

_COUNT = "SELECT sum(sign) FROM events WHERE delivery_id IN ({deliveries:Array(UInt64)}) AND kind < 'prepared'"


@dataclass
class Post:
    """One newsletter that went out: its key and the letters in the mailboxes."""

    newsletter: Newsletter
    delivery: int
    letters: list[Letter]


class Demo:
    """Sends three newsletters to one audience and lets the audience react; keeps the books."""

    def __init__(self, stack: Stack, config: Config, console: Console, size: int) -> None:
        settings = config.with_tables(stack.tables)
        self._console = console
        self._dice = random.Random(SEED)
        self._audience = audience(size, self._dice)
        self._keys: Keyring = load_keys(stack.data / "keys.toml")
        self._base_url = settings.section(TrackingSettings).base_url
        self._api = Api(f"http://127.0.0.1:{stack.ports.api}", settings.section(FeedSettings).secret())
        self._clickhouse: Client = connect(settings.section(ClickHouseSettings))
        policy = settings.section(LoaderSettings).addresses
        self._ledger = Ledger(self._keys, kept(policy, self._keys.naming_key))
        self._refused = 0
        self.posts: list[Post] = []

    def send(self) -> None:
        """Register, instrument and feed the three newsletters."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        for newsletter in newsletters(stamp):
            sent_ms = int(time.time() * 1000) - 120_000
            mailing = Mailing(newsletter, self._keys, self._base_url)
            mailing.register(self._api, len(self._audience), sent_ms)
            label = f"{newsletter.label}: a message for each recipient"
            readers = track(self._audience, label, console=self._console, transient=True)
            letters = [mailing.letter(recipient) for recipient in readers]
            self._feed(mailing.prepared(recipient, sent_ms) for recipient in self._audience)
            self._feed(outcomes(newsletter.name, self._audience, sent_ms, self._dice))
            self.posts.append(Post(newsletter, letters[0].delivery, letters))

    def _feed(self, items: Iterable[dict[str, Any]]) -> None:
        refused = self._api.feed(items)
        if refused:
            raise RuntimeError(f"the API refused an item of the demo: {refused[0]}")

    def react(self, pump: Callable[[], None]) -> None:
        """The audience's programs ask the edge for what is in the letters; live counts meanwhile."""
        letters = [letter for post in self.posts for letter in post.letters]
        self._dice.shuffle(letters)
        swept = [list(sweep(letter, self._dice)) for letter in letters]  # scanners come first, as they do
        read = [list(visits(letter, self._dice)) for letter in letters]
        visiting = [*swept, [forged(letters[0])], *read]
        with Live(self._counts(), console=self._console, refresh_per_second=4, transient=True) as live:
            asyncio.run(self._visit([visit for visit in visiting if visit], live, pump))
            self._drain(live, pump)

    async def _visit(self, visiting: Sequence[Sequence[Request]], live: Live, pump: Callable[[], None]) -> None:
        sending = asyncio.create_task(send_all(visiting, self._answered))
        while not sending.done():
            await asyncio.wait({sending}, timeout=_REFRESH_S)
            pump()
            live.update(await asyncio.to_thread(self._counts))
        sending.result()

    def _answered(self, request: Request, status: int) -> None:
        if is_counted(request, status):
            self._ledger.add(request)
        elif not request.counts:
            self._refused += 1
        else:
            raise RuntimeError(f"the edge answered {status} to a valid link of the demo: {request.url}")

    def _drain(self, live: Live, pump: Callable[[], None]) -> None:
        until = time.monotonic() + _DRAIN_S
        while self._stored() < self._ledger.sent and time.monotonic() < until:
            time.sleep(_REFRESH_S)
            pump()
            live.update(self._counts())

    def _stored(self) -> int:
        rows = self._clickhouse.execute(_COUNT, {"deliveries": self._deliveries})
        return int(rows[0][0])

    @property
    def _deliveries(self) -> list[int]:
        return [post.delivery for post in self.posts]

    def _counts(self) -> Table:
        table = Table(title="live", show_header=True)
        for column in ("hits answered by the edge", "rows in ClickHouse", "forged links refused"):
            table.add_column(column, justify="right")
        table.add_row(str(self._ledger.sent), str(self._stored()), str(self._refused))
        return table

    def trickle(self, stopped: Callable[[float], bool], pump: Callable[[], None]) -> None:
        """Light traffic until it is stopped: now and then somebody opens or clicks."""
        letters = [letter for post in self.posts for letter in post.letters if not letter.recipient.text_only]
        with Live(self._counts(), console=self._console, refresh_per_second=2) as live:
            while not stopped(_LIVE_PAUSE_S):
                letter = self._dice.choice(letters)
                visit = [*sweep(letter, self._dice), *visits(letter, self._dice)][:3]
                if visit:
                    asyncio.run(send_all([visit], self._answered, readers=1))
                pump()
                live.update(self._counts())
            self._drain(live, pump)
        if not self._console.is_terminal:
            self._console.line()  # Live ends the line on terminals only, and the ledger has a line of its own

    def balance(self) -> Balance:
        """The books against ClickHouse, row by row."""
        return self._ledger.compare(self._clickhouse, self._deliveries)

    def show_reports(self) -> None:
        """Indicators and top links of each delivery."""
        from sendtrail.local.demo.show import show_delivery

        for post in self.posts:
            show_delivery(self._console, self._clickhouse, post.delivery, post.newsletter.label)

    def close(self) -> None:
        """Let the connections go."""
        self._clickhouse.disconnect()
