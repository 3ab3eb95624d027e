"""The supervisor, with small real processes."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sendtrail.errors import SettingsError
from sendtrail.local.datadir import DataDir
from sendtrail.local.process import StartError
from sendtrail.local.supervisor import Service, Supervisor

LIMIT_S = 20.0


def _sleeper(name: str, order: Path, exit_code: int = 0) -> list[str]:
    """A process that notes when it is ended by SIGTERM."""
    code = (
        "import signal, sys, time\n"
        f"def end(*_):\n    open({str(order)!r}, 'a').write({name!r} + chr(10)); sys.exit({exit_code})\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"open({str(order) + '.' + name!r}, 'w').write('up')\n"
        "time.sleep(60)\n"
    )
    return [sys.executable, "-c", code]


def _service(name: str, order: Path) -> Service:
    return Service(name, _sleeper(name, order), Path(f"{order}.{name}").exists)


def _until(condition: Callable[[], bool], supervisor: Supervisor) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        supervisor.check()
        time.sleep(0.02)


def test_ends_in_reverse_order_of_start(tmp_path: Path) -> None:
    order = tmp_path / "order"
    supervisor = Supervisor(tmp_path, lambda _: None)
    supervisor.start([_service("one", order)])
    supervisor.start([_service("two", order)])
    supervisor.stop()
    assert order.read_text().split() == ["two", "one"]


def test_what_dies_is_started_again_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(tmp_path, said.append)
    supervisor.start([_service("one", tmp_path / "order")])
    first = supervisor.pids()["one"]
    assert first is not None
    os.kill(first, signal.SIGKILL)
    _until(lambda: supervisor.pids()["one"] not in (first, None), supervisor)
    supervisor.stop()
    assert said[0].startswith("one ended with code -9")


def test_pauses_grow_while_it_keeps_dying(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(tmp_path, said.append)
    stays = tmp_path / "dies"
    code = f"import os, sys, time\nif os.path.exists({str(stays)!r}): sys.exit(7)\ntime.sleep(60)"
    supervisor.start([Service("one", [sys.executable, "-c", code], lambda: True)])
    stays.touch()
    pid = supervisor.pids()["one"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _until(lambda: len(said) >= 3, supervisor)
    supervisor.stop()
    assert [text.rsplit(" in ", 1)[1] for text in said[:3]] == ["0.2 s", "0.4 s", "0.8 s"]


def test_a_process_that_can_not_start_shows_its_last_words(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, lambda _: None)
    command = [sys.executable, "-c", "import sys; sys.exit('no room on the disk')"]
    with pytest.raises(StartError, match="no room on the disk"):
        supervisor.start([Service("one", command, lambda: False)])
    supervisor.stop()


def test_a_data_directory_is_for_one_stack(tmp_path: Path) -> None:
    first = DataDir(tmp_path / "data")
    with pytest.raises(SettingsError, match=rf"process {os.getpid()}\).*--data"):
        DataDir(tmp_path / "data")
    first.release()
    DataDir(tmp_path / "data").release()
