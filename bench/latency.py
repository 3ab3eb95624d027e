"""Hit to report: how long after a request's answer a report counts it, at a quarter, half and 80 % of what the line
can do here.

    python -m bench.latency [--hits N] [--seconds S] [--loads 25,50,80]

The whole line runs embedded, every process on the same cores as the load. First the capacity: N hits as fast as the
edge takes them, until the last is a row. Then a share of that as steady load, and ten probes a second of a delivery of
its own; each probe's time is from its answer until the counts of the report's table include it.
"""

import asyncio
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_driver import Client

from sendtrail import keyring, links
from sendtrail.cli.up import build
from sendtrail.clickhouse import connect
from sendtrail.local.stack import Stack
from sendtrail.settings import ClickHouseSettings, load

_LOADED, _PROBED = 1, 2  # deliveries
_MESSAGES = 5_000
_CONNECTIONS = 8
_BURST = 16  # requests in one write of a connection
_PROBES_PER_S = 10
_LIMIT_S = 120.0
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
COUNT = "SELECT sum(n) FROM url_activity WHERE delivery_id = {delivery:UInt64}"


def requests_of(key: keyring.LinkKey, delivery: int) -> list[bytes]:
    """One click request for each message of a delivery, as bytes on the wire."""
    tokens = (
        links.mint(key, links.Link("click", delivery, message, message, 7, 1, "https://example.org/page"))
        for message in range(_MESSAGES)
    )
    head = f"Host: t.example.org\r\nUser-Agent: {_AGENT}\r\n\r\n"
    return [f"GET /c/{token} HTTP/1.1\r\n{head}".encode() for token in tokens]


async def connection(port: int, requests: Sequence[bytes], count: int, pause_s: float) -> None:
    """Send `count` requests in bursts, each burst after the answers of the one before, `pause_s` between starts."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    due = time.monotonic()
    for start in range(0, count, _BURST):
        size = min(_BURST, count - start)
        writer.write(b"".join(requests[(start + number) % len(requests)] for number in range(size)))
        for _ in range(size):
            await reader.readuntil(b"\r\n\r\n")
        due += pause_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    writer.close()
    await writer.wait_closed()


async def _load(port: int, requests: Sequence[bytes], hits: int, rate: float | None) -> None:
    """`hits` requests over all connections, as fast as they are answered or at `rate` a second."""
    pause_s = 0.0 if rate is None else _CONNECTIONS * _BURST / rate
    each = hits // _CONNECTIONS
    await asyncio.gather(*(connection(port, requests, each, pause_s) for _ in range(_CONNECTIONS)))


def _counted(client: Client, delivery: int) -> int:
    return int(client.execute(COUNT, {"delivery": delivery})[0][0])


def _until(client: Client, delivery: int, count: int) -> None:
    until = time.monotonic() + _LIMIT_S
    while _counted(client, delivery) < count:
        if time.monotonic() > until:
            raise TimeoutError(f"{_counted(client, delivery)} of {count} hits were counted after {_LIMIT_S:g} s")
        time.sleep(0.05)


def _capacity(stack: Stack, client: Client, requests: Sequence[bytes], hits: int) -> tuple[float, float]:
    """Hits a second that the edge answered, and that the whole line took until the last was counted."""
    before, start = _counted(client, _LOADED), time.monotonic()
    asyncio.run(_load(stack.ports.edge, requests, hits, None))
    answered = time.monotonic() - start
    _until(client, _LOADED, before + hits // _CONNECTIONS * _CONNECTIONS)
    return hits / answered, hits / (time.monotonic() - start)


def _probe(stack: Stack, client: Client, requests: Sequence[bytes], seconds: float) -> list[float]:
    """Seconds from each probe's answer until it is counted."""
    answered: list[float] = []
    done = threading.Event()

    async def probes() -> None:
        for number in range(int(seconds * _PROBES_PER_S)):
            await connection(stack.ports.edge, [requests[number % len(requests)]], 1, 0)
            answered.append(time.monotonic())
            await asyncio.sleep(1 / _PROBES_PER_S)

    def send() -> None:
        asyncio.run(probes())
        done.set()

    sender = threading.Thread(target=send)
    before, times, limit = _counted(client, _PROBED), list[float](), time.monotonic() + seconds + _LIMIT_S
    sender.start()
    while (not done.is_set() or len(times) < len(answered)) and time.monotonic() < limit:
        seen, now = _counted(client, _PROBED) - before, time.monotonic()
        times += [now - answered[number] for number in range(len(times), min(seen, len(answered)))]
        time.sleep(0.01)
    sender.join()
    return times


def _at_load(
    stack: Stack,
    client: Client,
    requests: tuple[Sequence[bytes], Sequence[bytes]],
    rate: float,
    percent: float,
    seconds: float,
) -> None:
    """Steady load of `rate` hits a second beside the probes, and the figures of these."""
    loaded, probed = requests
    load_thread = threading.Thread(
        target=lambda: asyncio.run(_load(stack.ports.edge, loaded, int(rate * seconds), rate))
    )
    load_thread.start()
    times = _probe(stack, client, probed, seconds)
    load_thread.join()
    cuts = statistics.quantiles(times, n=100)
    print(f"hit to report at {percent:g} % load, {rate:,.0f} hits/s, {len(times)} probes: "
          f"p50 {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s, p99 {cuts[98]:.2f} s", flush=True)  # fmt: skip


def measure(hits: int, seconds: float, loads: Sequence[float]) -> None:
    """Run it and print the figures."""
    folder = Path(tempfile.mkdtemp(prefix="sendtrail-bench-"))
    # All hits come from one address, each link many times a minute: a flood, were it not for the figures.
    config = load().with_tables({"edge": {"flood_hits_per_minute": 0}})
    stack = build(folder, free=True, say=lambda _: None, config=config)
    try:
        stack.start()
        key = keyring.load(folder / "keys.toml").active
        client = connect(load(below=stack.tables).section(ClickHouseSettings))
        loaded, probed = requests_of(key, _LOADED), requests_of(key, _PROBED)
        _capacity(stack, client, loaded, 10_000)  # warm up: caches, first inserts
        edge_rate, line_rate = _capacity(stack, client, loaded, hits)
        print(f"capacity: the edge answered {edge_rate:,.0f} hits/s, the whole line took {line_rate:,.0f} hits/s")
        for load_percent in loads:
            _at_load(stack, client, (loaded, probed), line_rate * load_percent / 100, load_percent, seconds)
        client.disconnect()
    finally:
        stack.stop()
        shutil.rmtree(folder)


def main(
    hits: Annotated[int, typer.Option(help="Hits of the capacity run.")] = 100_000,
    seconds: Annotated[float, typer.Option(help="Length of each steady run.")] = 20.0,
    loads: Annotated[str, typer.Option(help="Percent of the capacity, with commas.")] = "25,50,80",
) -> None:
    """Hit-to-report latency of the whole embedded line at shares of its capacity."""
    try:
        shares = [float(share) for share in loads.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"--loads: {error}") from error
    if not all(0 < share <= 100 for share in shares):
        raise typer.BadParameter("--loads takes numbers above 0, 100 at most")
    measure(hits, seconds, shares)


if __name__ == "__main__":
    typer.run(main)
