"""sendtrail keys: the link keys and their states. Secrets are never printed."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from sendtrail import keyring, private_file
from sendtrail.errors import KeysError
from sendtrail.keyring import Keyring

Json = Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")]
KeyId = Annotated[int, typer.Argument(help="The key's id, as `sendtrail keys list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Link keys: make, list, retire, revoke, back up. The file is keys.file (SENDTRAIL_KEYS_FILE).",
    )
    for verb in (new, list_keys, retire, revoke, backup):
        group.command("list" if verb is list_keys else verb.__name__)(verb)
    app.add_typer(group, name="keys")


def new(as_json: Json = False) -> None:
    """Make a new active key, which mints from now on; the first time also the file and its naming key.

    Edges read a changed file in seconds, other processes when they start: restart what mints, then retire it.
    """
    path = _file()
    with _locked(path):
        first = not path.exists()
        ring = keyring.new_keyring() if first else keyring.load(path).with_new_key()
        _save(path, ring)
    if as_json:
        print(json.dumps({"file": str(path), "id": ring.active.key_id, "state": "active", "first": first}))
        return
    print(f"{path}: link key {ring.active.key_id} is active and mints")
    if first:
        print("A naming key was made too. It must never change: back the file up with `sendtrail keys backup PATH`.")


def list_keys(as_json: Json = False) -> None:
    """Show each key's id and state, and which one mints."""
    from rich.console import Console
    from rich.table import Table

    path = _file()
    ring = keyring.load(path)
    minting = max((key.key_id for key in ring.links.values() if key.state == "active"), default=None)
    rows = [(key.key_id, key.state, key.key_id == minting) for _, key in sorted(ring.links.items())]
    if as_json:
        for key_id, state, mints in rows:
            print(json.dumps({"id": key_id, "state": state, "mints": mints}))
        return
    meaning = {
        "active": "links work",
        "retired": "links work, no new ones",
        "revoked": "links show their destination and do not redirect",
    }
    table = Table("key", "state", "what it does", title=str(path), title_justify="left")
    for key_id, state, mints in rows:
        table.add_row(str(key_id), state, "mints new links" if mints else meaning[state])
    Console().print(table)


def retire(
    key_id: KeyId,
    force: Annotated[
        bool, typer.Option("--force", help="Also the last active key, or a revoked one, whose links then work again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Mint no more links with a key; those that are out work for ever."""
    path = _file()
    with _locked(path):
        ring = keyring.load(path)
        changed = ring.with_state(key_id, "retired")
        if not force and ring.links[key_id].state == "revoked":
            raise KeysError(f"key {key_id} is revoked: --force makes its links redirect again")
        if not force and not _active(changed):
            raise KeysError(f"key {key_id} is the last active one: make another with `sendtrail keys new`, or --force")
        _save(path, changed)
    _say(path, changed, key_id, as_json)


def revoke(
    key_id: KeyId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """For a key that leaked: its links redirect no more, they show their destination on a plain page."""
    path = _file()
    state = keyring.load(path).with_state(key_id, "revoked").links[key_id].state
    if not yes:
        typer.confirm(
            f"Links of key {key_id} in mail that is out will not redirect any more. Mark it {state}?", abort=True
        )
    with _locked(path):
        changed = keyring.load(path).with_state(key_id, "revoked")
        _save(path, changed)
    _say(path, changed, key_id, as_json)


def backup(
    target: Annotated[Path, typer.Argument(help="File to write; it must not exist. Keep it apart from this machine.")],
) -> None:
    """Write a copy of the key file, mode 600. Without it a lost disk makes every link in sent mail worthless."""
    path = _file()
    keyring.load(path)
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(path.read_bytes())
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise KeysError(f"{target} is there already: backups are not overwritten") from error
    except OSError as error:
        raise KeysError(f"{target} can't be written: {error}") from error
    print(f"{target}: copy of {path}")


def _file() -> Path:
    from sendtrail.cli.config import load
    from sendtrail.settings import KeySettings

    return load().section(KeySettings).file


def _active(ring: Keyring) -> bool:
    return any(key.state == "active" for key in ring.links.values())


def _save(path: Path, ring: Keyring) -> None:
    try:
        keyring.save(path, ring)
    except OSError as error:
        raise KeysError(f"{path} can't be written: {error}") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One change of the key file at a time, so that no key is lost between a read and a write."""
    try:
        with private_file.locked(path):
            yield
    except OSError as error:
        raise KeysError(f"{path} can't be changed: {error}") from error


def _say(path: Path, ring: Keyring, key_id: int, as_json: bool) -> None:
    state = ring.links[key_id].state
    if as_json:
        print(json.dumps({"file": str(path), "id": key_id, "state": state}))
        return
    print(f"{path}: link key {key_id} is {state}; edges know within seconds, other processes when they are restarted")
    if not _active(ring):
        print("No key is active: nothing can be minted until `sendtrail keys new`.")
