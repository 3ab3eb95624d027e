"""Several workers on one port: shared, replaced and killed without a refused connection, and counted as one."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producers.edge import replies
from producers.spool_lock import is_orphan
from sendtrail.links import Link, mint, url_of
from sendtrail.spool_files import segment_files
from tests.support.edge_process import Process
from tests.support.edges import Client
from tests.support.spools import events


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path, edge_processes=2, edge_segment_age_ms=100).start()
    yield process
    process.end()


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.02)


class Visitors(threading.Thread):
    """A client that makes one connection after another, or keeps each as long as the edge does.

    `refused`: connections that were not taken; `broken`: those that ended without an answer to a request.
    """

    def __init__(self, edge: Process, first: int, *, keeps: bool) -> None:
        super().__init__()
        self.ending = threading.Event()
        self.refused: list[Exception] = []
        self.broken: list[Exception] = []
        self.answered: list[int] = []
        self._edge = edge
        self._message = first
        self._keeps = keeps

    def run(self) -> None:
        while not self.ending.is_set():
            try:
                client = Client(self._edge.port)
            except OSError as error:
                self.refused.append(error)
                continue
            with client:
                try:
                    while self._visit(client) and self._keeps and not self.ending.is_set():
                        pass
                except (OSError, EOFError) as error:
                    self.broken.append(error)

    def _visit(self, client: Client) -> bool:
        """One hit; False where the edge says that the connection ends."""
        self._message += 1
        path = url_of("", "open", mint(self._edge.keys.active, Link("open", 17, self._message, 99)))
        client.send(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        answer = client.answer()
        assert answer.body == replies.GIF
        self.answered.append(self._message)
        return answer.headers.get("connection") != "close"


@pytest.fixture
def visitors(edge: Process) -> Iterator[list[Visitors]]:
    """Two that connect anew for each hit, and two that keep their connections."""
    crowd = [Visitors(edge, number * 1_000_000, keeps=number < 2) for number in range(4)]
    for one in crowd:
        one.start()
    until(lambda: all(one.answered for one in crowd), "everybody was answered")
    yield crowd
    leave(crowd)


def leave(crowd: list[Visitors]) -> None:
    for one in crowd:
        one.ending.set()
    for one in crowd:
        one.join()


def settle(edge: Process, crowd: list[Visitors]) -> list[int]:
    """End everything; the messages that were answered, each of which is in the spool once."""
    leave(crowd)
    assert edge.signal(signal.SIGTERM) == 0
    stored = [event.message for event in events(edge.spool)]
    answered = sorted(message for one in crowd for message in one.answered)
    assert len(stored) == len(set(stored))
    assert set(answered) <= set(stored)
    return answered


def test_every_worker_is_replaced_and_nobody_notices(edge: Process, visitors: list[Visitors]) -> None:
    before = edge.pids()
    assert len(before) == 2
    assert edge.process is not None
    edge.process.send_signal(signal.SIGHUP)
    until(lambda: len(now := edge.pids()) == 2 and not set(now) & set(before), "two new workers")
    answered = [len(one.answered) for one in visitors]
    until(lambda: all(len(one.answered) > was for one, was in zip(visitors, answered, strict=True)), "hits go on")
    settle(edge, visitors)
    assert [error for one in visitors for error in (*one.refused, *one.broken)] == []
    assert len({file.spool for file in segment_files(edge.spool)}) >= 2


def test_a_killed_worker_costs_only_what_it_was_answering(edge: Process, visitors: list[Visitors]) -> None:
    before = edge.pids()
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(now := edge.pids()) == 2 and before[0] not in now, "another worker in its place")
    assert before[1] in edge.pids()
    metrics = edge.admin("/metrics")[1]
    answered = settle(edge, visitors)
    assert [error for one in visitors for error in one.refused] == []
    assert sum(len(one.broken) for one in visitors) <= len(visitors)
    assert len(events(edge.spool)) - len(answered) <= len(visitors)
    assert "sendtrail_edge_worker_exits_total 1.0" in metrics
    assert "sendtrail_edge_workers 2.0" in metrics
    assert all(is_orphan(edge.spool, file.spool) for file in segment_files(edge.spool))


def counted(edge: Process, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", edge.admin("/metrics")[1], re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def test_what_workers_counted_stays_counted_when_they_are_replaced(edge: Process) -> None:
    for message in range(30):
        assert edge.get(edge.path(message=message)) == 200
    hits, cpu = 'sendtrail_edge_hits_total{kind="open"}', "process_cpu_seconds_total"
    assert counted(edge, hits) == 30
    before, spent = edge.pids(), counted(edge, cpu)
    assert edge.process is not None
    edge.process.send_signal(signal.SIGHUP)
    until(lambda: len(now := edge.pids()) == 2 and not set(now) & set(before), "two new workers")
    assert edge.get(edge.path()) == 200
    assert counted(edge, hits) == 31
    assert counted(edge, cpu) >= spent
    assert edge.admin("/metrics")[1].count("# TYPE sendtrail_spool_bytes gauge") == 1


def test_workers_that_can_not_start_replace_nobody(edge: Process) -> None:
    before = edge.pids()
    edge.key_file.write_text("not a key file")
    assert edge.process is not None
    edge.process.send_signal(signal.SIGHUP)
    until(lambda: any("replacing_given_up" in line for line in edge.log), "word of it")
    assert edge.pids() == before
    assert edge.get(edge.path()) == 200


def test_settings_are_read_again_by_new_workers_as_often_as_asked(tmp_path: Path) -> None:
    file, long = tmp_path / "sendtrail.toml", "/c/" + "x" * 20_000
    file.write_text("[edge]\nmax_head_bytes = 4096\n")
    edge = Process(tmp_path, config=file).start()
    try:
        assert edge.get(long) == 414
        assert edge.process is not None
        for size, answer in ((32_768, 404), (4096, 414)):
            said = len(edge.log)
            file.write_text("[edge]\nmax_head_bytes = 32768\n")
            edge.process.send_signal(signal.SIGHUP)
            until(lambda: any("replacing_workers" in line for line in edge.log[said:]), "word of it")  # noqa: B023
            file.write_text(f"[edge]\nmax_head_bytes = {size}\n")
            edge.process.send_signal(signal.SIGHUP)
            until(lambda: sum("worker_replaced" in line for line in edge.log[said:]) == 2, "two replacements")  # noqa: B023
            assert edge.get(long) == answer
    finally:
        edge.end()


def test_workers_end_with_their_supervisor(edge: Process) -> None:
    assert edge.get(edge.path()) == 200
    edge.signal(signal.SIGKILL)
    edge.drain.join(30)  # the end of the log: nobody has it open any more
    assert not edge.drain.is_alive()
    assert [file.finished for file in segment_files(edge.spool)] == [True]


def test_readers_of_the_admin_listener_do_not_get_in_each_others_way(edge: Process) -> None:
    states: list[list[str]] = []

    def ask() -> None:
        for _ in range(15):
            states.append([worker["state"] for worker in edge.workers()])

    readers = [threading.Thread(target=ask) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert states == [["ready", "ready"]] * 60
