"""sendtrail relay-users: who may send through the relay from elsewhere. Passwords are asked for, never arguments."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sendtrail import private_file
from sendtrail.errors import SettingsError, UsersError

Name = Annotated[str, typer.Argument(help="The name to log in with.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Who may send through the SMTP relay. The file is relay.users_file (SENDTRAIL_RELAY_USERS_FILE).",
    )
    group.command("add")(add)
    group.command("remove")(remove)
    group.command("list")(list_users)
    app.add_typer(group, name="relay-users")


def add(
    name: Name,
    password_file: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Take the password from the first line of a file, - is standard input."),
    ] = None,
) -> None:
    """Add a user, or give one another password; the first one makes the file. A running relay knows at once.

    The password is asked for twice without being shown, or comes from --password-file; it has 12 characters or more.
    """
    from producers.relay import users as file

    path = _path()
    if not 1 <= len(name) <= file.MAX_NAME or not name.isprintable():
        raise UsersError(f"a name has 1 to {file.MAX_NAME} printable characters")
    hashed = file.hash_password(_password(password_file))
    with private_file.locked(path):
        users = file.read(path) if path.exists() else {}
        file.write(path, users | {name: hashed})
    print(f"{name} may send through the relay")


def remove(name: Name) -> None:
    """Remove a user, at once."""
    from producers.relay import users as file

    path = _path()
    with private_file.locked(path):
        users = file.read(path)
        if name not in users:
            raise UsersError(f"there is no user {name} in {path}")
        file.write(path, {other: hashed for other, hashed in users.items() if other != name})
    print(f"{name} may not send any more")


def list_users(as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")] = False) -> None:
    """Show who may send, without their hashes."""
    from producers.relay import users as file

    for name in file.read(_path()):
        print(json.dumps({"name": name}) if as_json else name)


def _path() -> Path:
    from sendtrail.cli.config import load
    from sendtrail.settings import RelaySettings

    path = load().section(RelaySettings).users_file
    if path is None:
        raise SettingsError("relay.users_file (SENDTRAIL_RELAY_USERS_FILE) names no file")
    return path


def _password(source: str | None) -> str:
    if source is None:
        asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return asked
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsersError(f"{source} can't be read: {error}") from error
    return (text.splitlines() or [""])[0]
