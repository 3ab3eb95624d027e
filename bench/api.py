"""How many fed events a second the API takes, durably, in batches of 1,000: by the clock, and per second of its CPU.

    python -m bench.api [--events N] [--profile PATH]

One client with one connection sends prepared bodies; every batch is on the disk before its answer (`api.fsync=batch`),
as it is unless set. Client and disk share the machine, so the figure per CPU second is the one that lasts.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psutil
import typer
import zstandard

from sendtrail import keyring

BATCH = 1_000
NDJSON = {"Content-Type": "application/x-ndjson"}
_KINDS = ("sent", "delivered", "delivered", "bounced")


def bodies(events: int) -> list[bytes]:
    """Batches of feed events as a mail server tells them, each of another message."""
    now_ms = time.time_ns() // 1_000_000
    items = [_item(number, now_ms) for number in range(events)]
    return [b"\n".join(items[start : start + BATCH]) for start in range(0, events, BATCH)]


def _item(number: int, now_ms: int) -> bytes:
    kind = _KINDS[number % len(_KINDS)]
    item = {
        "kind": kind, "time": now_ms - number % 10_000, "delivery": f"newsletter-{number % 3}",
        "message": f"m-{number}", "recipient": f"recipient-{number}@example.com", "domain": "example.com",
        "id": f"mta-7-{number:012d}",
    }  # fmt: skip
    if kind == "bounced":
        item |= {"reason": "mailbox_full", "diagnostic": "452 4.2.2 The recipient's inbox is out of storage space"}
    return json.dumps(item).encode()


@contextmanager
def running(place: Path) -> Iterator[tuple[psutil.Process, int]]:
    """The API in a process of its own, and its port."""
    keyring.save(place / "keys.toml", keyring.new_keyring())
    environment = os.environ | {
        "SENDTRAIL_KEYS_FILE": str(place / "keys.toml"),
        "SENDTRAIL_API_SPOOL_DIR": str(place / "spool"),
        "SENDTRAIL_API_KEYS_FILE": str(place / "api-keys.toml"),
        "SENDTRAIL_API_PORT": "0",
        "SENDTRAIL_API_ADMIN_PORT": "0",
    }
    command = [sys.executable, "-m", "producers.api.main"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            started = next(json.loads(line) for line in process.stderr if '"started"' in line)
            yield psutil.Process(process.pid), started["port"]
        finally:
            process.terminate()


def feed(process: psutil.Process, port: int, batches: list[bytes], headers: dict[str, str]) -> dict[str, int]:
    """Post every batch; events per second, and per second of the API's CPU."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    _post(client, batches[0], headers)  # connected and warm
    cpu, began = process.cpu_times(), time.perf_counter()
    for batch in batches[1:]:
        _post(client, batch, headers)
    wall_s = time.perf_counter() - began
    after = process.cpu_times()
    cpu_s = after.user + after.system - cpu.user - cpu.system
    client.close()
    events = BATCH * (len(batches) - 1)
    return {
        "events": events,
        "events_per_s": round(events / wall_s),
        "events_per_cpu_s": round(events / cpu_s),
        "us_per_event": round(1e6 * cpu_s / events, 2),  # type: ignore[dict-item]
        "bytes_per_event": round(sum(map(len, batches)) / BATCH / len(batches)),
    }


def _post(client: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> None:
    client.request("POST", "/v1/events", body, headers)
    answer = json.loads(client.getresponse().read())
    assert answer["accepted"] == BATCH, answer


def main(
    events: Annotated[int, typer.Option(help="Events per run.")] = 200_000,
    profile: Annotated[Path | None, typer.Option(help="Write a flame graph of the first run here (py-spy).")] = None,
) -> None:
    """Run with lines, with an array, and packed with zstd."""
    lines = bodies(events)
    runs = {
        "lines": (lines, NDJSON),
        "array": ([b"[" + b",".join(body.split(b"\n")) + b"]" for body in lines], {"Content-Type": "application/json"}),
        "lines, zstd": ([zstandard.compress(body) for body in lines], NDJSON | {"Content-Encoding": "zstd"}),
    }
    for name, (batches, headers) in runs.items():
        with tempfile.TemporaryDirectory(dir=".") as folder, running(Path(folder)) as (process, port):
            spy = _spy(process.pid, profile) if profile is not None and name == "lines" else None
            print(json.dumps({"bench": "api", "run": name} | feed(process, port, batches, headers)), flush=True)
            if spy is not None:
                spy.terminate()
                spy.wait()


def _spy(pid: int, path: Path) -> "subprocess.Popen[bytes]":
    command = ["py-spy", "record", "--pid", str(pid), "--output", str(path), "--duration", "600", "--nonblocking"]
    return subprocess.Popen([str(Path(sys.executable).parent / command[0]), *command[1:]])


if __name__ == "__main__":
    typer.run(main)
