"""Who a loader is, and who of several owns the partitions."""

import subprocess
import sys
from pathlib import Path

import pytest
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment

from sinks.member import DataDirInUse, Member, OneOwner, choose_owner


def test_an_id_is_made_once_per_directory(tmp_path: Path) -> None:
    first = Member(tmp_path / "a")
    name = first.id
    first.close()
    again, other = Member(tmp_path / "a"), Member(tmp_path / "b")
    assert again.id == name
    assert other.id != name
    again.close()
    other.close()


def test_a_directory_is_for_one_process(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable, "-c",
            "import sys, pathlib; from sinks.member import Member; m = Member(pathlib.Path(sys.argv[1]));"
            "print(m.id, flush=True); sys.stdin.read()",
            str(tmp_path),
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        name = holder.stdout.readline().strip()
        with pytest.raises(DataDirInUse, match=r"loader\.data_dir"):
            Member(tmp_path)
    finally:
        holder.kill()
        holder.communicate()
    member = Member(tmp_path)
    assert member.id == name
    member.close()


def test_the_owner_stays_and_else_the_first_by_id() -> None:
    assert choose_owner([(False, "b", "b-1"), (False, "a", "a-1")]) == "a-1"
    assert choose_owner([(True, "b", "b-1"), (False, "a", "a-1")]) == "b-1"


def test_the_owner_says_so_when_it_joins_again() -> None:
    assignor = OneOwner()
    assert assignor.metadata(["t"]).user_data == b""
    assignor.on_assignment(ConsumerProtocolAssignment(0, [("t", [0, 1])], b""), 1)
    assert assignor.metadata(["t"]).user_data == b"owner"
    assignor.on_assignment(ConsumerProtocolAssignment(0, [], b""), 2)
    assert assignor.metadata(["t"]).user_data == b""
