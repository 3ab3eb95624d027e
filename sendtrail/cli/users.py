"""sendtrail users: who may log in to the report pages. Passwords are asked for, never echoed and never arguments."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sendtrail import private_file
from sendtrail.errors import SettingsError, UsersError

if TYPE_CHECKING:
    from dashboards.web.access.users import User, Users


class RoleName(StrEnum):
    """What a reader may see."""

    VIEWER = "viewer"
    ANALYST = "analyst"


Json = Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")]
Name = Annotated[str, typer.Argument(help="The user's name, in any script; upper and lower case are told apart.")]
RoleOption = Annotated[RoleName, typer.Option(help="viewer: numbers of whole deliveries. analyst: recipients too.")]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", help='Only deliveries of this account; repeatable; "" is the default account.'),
]
PasswordFile = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Take the password from the first line of a file, - is standard input."),
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Who may log in to the report pages. The file is web.users_file (SENDTRAIL_WEB_USERS_FILE).",
    )
    for verb in (add, change, passwd, remove, list_users, token):
        group.command("list" if verb is list_users else verb.__name__)(verb)
    app.add_typer(group, name="users")


def add(
    name: Name,
    role: RoleOption = RoleName.VIEWER,
    account: Accounts = None,
    password_file: PasswordFile = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="No log-in with a password: only through a proxy, or by token.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a user; the first one makes the file. A running server knows at once.

    The password is asked for twice without being shown, or comes from --password-file; it has 12 characters or more.
    """
    from dashboards.web.access import users as file
    from dashboards.web.access.passwords import hash_password

    if no_password and password_file is not None:
        raise typer.BadParameter("--no-password and --password-file exclude each other")
    user = file.User(file.check_name(name), role.value, None if account is None else frozenset(account))
    if user.name in _now().by_name:
        raise UsersError(f"there is a user {user.name} already: `sendtrail users change` or `passwd`")
    if not no_password:
        user = replace(user, password=hash_password(_password(password_file)))
    with _changing() as change:
        if user.name in change.now.by_name:
            raise UsersError(f"there is a user {user.name} already: `sendtrail users change` or `passwd`")
        change.now = change.now.with_user(user)
    _say(user, as_json, f"{user.name} is added: {_described(user)}")


def change(
    name: Name,
    role: Annotated[RoleName | None, typer.Option(help="The new role; without it the role stays.")] = None,
    account: Accounts = None,
    all_accounts: Annotated[bool, typer.Option("--all-accounts", help="Deliveries of all accounts.")] = False,
    as_json: Json = False,
) -> None:
    """Give a user another role or other accounts, from their next request on. --account replaces those there were."""
    if all_accounts and account is not None:
        raise typer.BadParameter("--account and --all-accounts exclude each other")
    with _changing() as change:
        user = change.now.get(name)
        if role is not None:
            user = replace(user, role=role.value)
        if all_accounts or account is not None:
            user = replace(user, accounts=None if account is None else frozenset(account))
        change.now = change.now.with_user(user)
    _say(user, as_json, f"{user.name} is now: {_described(user)}")


def passwd(name: Name, password_file: PasswordFile = None, as_json: Json = False) -> None:
    """Give a user another password. It ends their sessions; their API token stays (`sendtrail users token`)."""
    from dashboards.web.access.passwords import hash_password

    _now().get(name)
    password = hash_password(_password(password_file))
    with _changing() as change:
        user = replace(change.now.get(name), password=password)
        change.now = change.now.with_user(user)
    _say(user, as_json, f"{user.name} has another password; sessions begun with the old one are over")


def remove(
    name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: Json = False
) -> None:
    """Remove a user, their sessions and their API token, at once."""
    user = _now().get(name)
    if not yes:
        typer.confirm(f"{user.name} can't log in any more. Remove them?", abort=True)
    with _changing() as change:
        change.now = change.now.without(name)
    _say(user, as_json, f"{user.name} is removed; their sessions are over")


def list_users(as_json: Json = False) -> None:
    """Show every user's role and accounts, and how they may come in. Passwords and tokens are not in the file."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    users = [user for _, user in sorted(_now().by_name.items())]
    if as_json:
        for user in users:
            print(json.dumps(_facts(user), ensure_ascii=False))
        return
    table = Table("user", "role", "accounts", "password", "token", title=escape(str(_file())), title_justify="left")
    for user in users:
        yes_no = ["yes" if given else "–" for given in (user.password, user.token)]
        table.add_row(escape(user.name), user.role, escape(_accounts(user)), *yes_no)
    Console().print(table)


def token(
    name: Name,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the user's token away and make no new one.")] = False,
    as_json: Json = False,
) -> None:
    """Make a user's API token and print it, this once; the one before it works no more.

    Programs send it as `Authorization: Bearer TOKEN` to /v1/… of the report pages. Only its hash is kept.
    """
    from dashboards.web.access.passwords import hash_token, new_token

    made = "" if revoke else new_token()
    with _changing() as change:
        user = replace(change.now.get(name), token=hash_token(made) if made else "")
        change.now = change.now.with_user(user)
    if as_json:
        print(json.dumps(_facts(user) | ({"token": made} if made else {}), ensure_ascii=False))
    elif made:
        print(made)  # alone on standard output, so that it can go where it is needed
        print(f"This is {user.name}'s token. It is not shown again.", file=sys.stderr)
    else:
        print(f"{user.name} has no token any more")


def _changing() -> AbstractContextManager[private_file.Change[Users]]:
    from dashboards.web.access import users as file

    return private_file.changing(_file(), _now, file.save, UsersError)


def _now() -> Users:
    """The users in the file; none where it is not there yet."""
    from dashboards.web.access import users as file

    return file.load(_file()) if _file().exists() else file.Users()


def _file() -> Path:
    from sendtrail.cli.config import load
    from sendtrail.settings import WebSettings

    path = load().section(WebSettings).users_file
    if path is None:
        raise SettingsError(
            "web.users_file (SENDTRAIL_WEB_USERS_FILE) is not set; the server and this command need the same, "
            "e.g. .sendtrail/web/users.toml"
        )
    return path


def _password(source: str | None) -> str:
    """From a file, standard input or the terminal. Raises UsersError where there is none of them."""
    if source is None:
        if not sys.stdin.isatty():
            raise UsersError("there is no terminal to ask for the password on: give --password-file PATH, or - ")
        answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt="The same again")
        return answer
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text()
    except (OSError, ValueError) as error:
        raise UsersError(f"the password file can't be read: {error}") from error
    return text.partition("\n")[0].removesuffix("\r")


def _facts(user: User) -> dict[str, object]:
    accounts = None if user.accounts is None else sorted(user.accounts)
    facts: dict[str, object] = {"name": user.name, "role": user.role, "accounts": accounts}
    return facts | {"has_password": bool(user.password), "has_token": bool(user.token)}


def _accounts(user: User) -> str:
    if user.accounts is None:
        return "all"
    return ", ".join(account or "(default)" for account in sorted(user.accounts)) or "none"


def _described(user: User) -> str:
    return f"{user.role}, accounts: {_accounts(user)}"


def _say(user: User, as_json: bool, text: str) -> None:
    print(json.dumps(_facts(user), ensure_ascii=False) if as_json else text)
