"""Keeping a partition's state: what this disk holds, or a checkpoint where that is missing, damaged or far behind."""

import os
import shutil
from pathlib import Path
from time import monotonic

import structlog

from sendtrail.metrics import counter, gauge
from streams.errors import Damaged
from streams.state.checkpoints import Checkpoints
from streams.state.directory import size_bytes
from streams.state.store import SharedMemory, Store

_log = structlog.stdlib.get_logger(__name__)


def condemn(path: Path) -> None:
    """The state in a directory was found damaged while it was used: the next start must not open it again."""
    _mark(path).touch()


def take(checkpoints: Checkpoints, topic_id: str, partition: int, store: Store) -> None:
    """Take a checkpoint; one that can't be taken is counted and logged, and the worker goes on. Raises Damaged."""
    began = monotonic()
    try:
        taken = checkpoints.take(topic_id, partition, store)
    except Damaged:
        raise
    except Exception as error:  # rocksdict raises plain Exception, e.g. where the disk is full
        counter("sendtrail_streams_checkpoints_total").labels(outcome="failed").inc()
        _log.error("no checkpoint could be taken", partition=partition, why=str(error))
        return
    gauge("sendtrail_streams_checkpoint_time_seconds").labels(str(partition)).set_to_current_time()
    if taken is not None:
        counter("sendtrail_streams_checkpoints_total").labels(outcome="taken").inc()
        _log.info("checkpoint taken", partition=partition, path=str(taken.path), seconds=monotonic() - began)


def open_state(
    path: Path, memory: SharedMemory, checkpoints: Checkpoints | None, topic_id: str, partition: int, committed: int
) -> Store:  # fmt: skip
    """The state of a partition, as far as it can be had without reading the source.

    Damaged state is set aside as `<partition>.damaged`, in place of an earlier one. A checkpoint is restored where it
    is further than what is here and that is behind the commit. Raises Stopped where the directory can't be used.
    """
    store = _opened(path, memory)
    if checkpoints is None or store.applied >= committed:
        return store
    further = next(iter(checkpoints.of(topic_id, partition)), None)
    if further is None or further.applied <= store.applied:
        return store
    began, behind = monotonic(), store.applied
    store.close(flush=False)
    kept = path.with_name(f"{path.name}.behind")
    shutil.rmtree(kept, ignore_errors=True)
    os.replace(path, kept)
    restored = checkpoints.restore(topic_id, partition, path, beyond=behind)
    if restored is None:
        os.replace(kept, path)
        return _opened(path, memory)
    shutil.rmtree(kept, ignore_errors=True)
    counter("sendtrail_streams_checkpoints_total").labels(outcome="restored").inc()
    _log.info("state restored from a checkpoint", partition=partition, path=str(restored.path),
              applied=restored.applied, bytes=size_bytes(path), seconds=monotonic() - began)  # fmt: skip
    return _opened(path, memory)


def _opened(path: Path, memory: SharedMemory) -> Store:
    if _mark(path).exists():
        _set_aside(path)
        _mark(path).unlink()
    try:
        return Store(path, memory)
    except Damaged as error:
        _log.error("the state is damaged and set aside", path=str(path), why=str(error))
        _set_aside(path)
        return Store(path, memory)


def _set_aside(path: Path) -> None:
    if path.exists():
        counter("sendtrail_streams_checkpoints_total").labels(outcome="state_damaged").inc()
        aside = path.with_name(f"{path.name}.damaged")
        shutil.rmtree(aside, ignore_errors=True)
        os.replace(path, aside)


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.condemned")
