"""sendtrail domains: hosts of senders' own that links may point to, verified by DNS."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from sendtrail import domains, private_file
from sendtrail.domains import Domain
from sendtrail.errors import DomainsError

if TYPE_CHECKING:
    from sendtrail.settings import DomainSettings

Json = Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")]
Name = Annotated[str, typer.Argument(help="The host, e.g. news.shop.example.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Tracking domains of senders' own: add, verify by DNS, list, remove. The file is domains.file.",
    )
    for verb in (add, list_domains, verify, remove):
        group.command("list" if verb is list_domains else verb.__name__)(verb)
    app.add_typer(group, name="domains")


def add(name: Name, as_json: Json = False) -> None:
    """Add a domain and say which DNS records make it one of this edge's. Adding it again says them again."""
    settings, target = _settings(), _target()
    with _changed(settings) as known:
        new = domains.new_domain(name, _now())
        domain = known.setdefault(new.name, new)
    if as_json:
        print(json.dumps({**_told(domain), "cname": target, "txt_name": _txt_name(domain), "txt": domain.txt}))
        return
    print(f"{domain.name} is {'verified' if domain.verified else 'added, not verified'}. Its DNS needs two records:\n")
    print(f'  {domain.name}. CNAME {target}.\n  {_txt_name(domain)}. TXT "{domain.txt}"\n')
    print(f"Where a CNAME can't be (at the top of a zone), give it the addresses of {target}.")
    print(f"Then: sendtrail domains verify {domain.name}")


def list_domains(as_json: Json = False) -> None:
    """Show the domains and which of them are verified."""
    from rich.console import Console
    from rich.table import Table

    settings = _settings()
    known = domains.load(settings.file)
    if as_json:
        for domain in known.values():
            print(json.dumps(_told(domain)))
        return
    if not known:
        print(f"No domain yet: `sendtrail domains add NAME` ({settings.file})")
        return
    table = Table("domain", "verified", "added", title=str(settings.file), title_justify="left")
    for domain in known.values():
        table.add_row(domain.name, domain.verified or "not yet", domain.added)
    Console().print(table)


def verify(
    names: Annotated[list[str] | None, typer.Argument(help="The hosts; none: all of them.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Ask DNS. Edges know the result within seconds: only verified domains get certificates on demand.

    A domain that leads elsewhere by now is not verified any more; where DNS does not answer, nothing changes.

    Exit code 1 if one of them is not verified.
    """
    settings, target = _settings(), _target()
    known = domains.load(settings.file)
    asked = [_known(known, name) for name in names] if names else list(known.values())
    results = _ask(settings, target, asked)
    with _changed(settings) as now:
        for domain, faults, silent in results:
            if domain.name in now and not silent:
                now[domain.name] = replace(now[domain.name], verified="" if faults else _now())
    for domain, faults, _ in results:
        if as_json:
            print(json.dumps({"name": domain.name, "verified": not faults, "faults": faults}))
        else:
            print(f"{domain.name}: {'verified' if not faults else '; '.join(faults)}")
    if any(faults for _, faults, _ in results):
        raise typer.Exit(1)


def remove(name: Name, as_json: Json = False) -> None:
    """Forget a domain: no certificate is fetched for it any more. Links on it work for as long as it leads here."""
    settings = _settings()
    with _changed(settings) as known:
        domain = _known(known, name)
        del known[domain.name]
    print(json.dumps({"name": domain.name, "removed": True}) if as_json else f"{domain.name}: removed")


def _ask(
    settings: "DomainSettings", target: str, asked: Sequence[Domain]
) -> list[tuple[Domain, tuple[str, ...], bool]]:
    """Domain, what is wrong with it, and whether that is only DNS's silence."""
    from sendtrail.domain_dns import Asker, DnsSilent

    results: list[tuple[Domain, tuple[str, ...], bool]] = []
    for domain in asked:
        try:
            verdict = Asker(settings.resolvers, settings.timeout_s).verify(domain, target, settings.addresses)
            results.append((domain, verdict.faults, False))
        except DnsSilent as error:
            results.append((domain, (str(error),), True))
    return results


def _known(known: domains.Domains, name: str) -> Domain:
    domain = known.get(domains.checked_name(name))
    if domain is None:
        raise DomainsError(f"no domain {name!r}: `sendtrail domains list` shows those there are")
    return domain


def _settings() -> "DomainSettings":
    from sendtrail.cli.config import load
    from sendtrail.settings import DomainSettings

    return load().section(DomainSettings)


def _target() -> str:
    """The host that domains lead to. Raises DomainsError where the settings name none."""
    from sendtrail.cli.config import load
    from sendtrail.settings import TrackingSettings

    target, base = _settings().target, load().section(TrackingSettings).base_url
    try:
        return domains.checked_name(target or urlsplit(base).hostname or "")
    except DomainsError as error:
        raise DomainsError(
            f"domains lead to a host by its name: set tracking.base_url (now {base}) or domains.target"
        ) from error


@contextmanager
def _changed(settings: "DomainSettings") -> Iterator[domains.Domains]:
    """The domains, written again when they were changed; one change at a time."""
    try:
        with private_file.locked(settings.file):
            known = domains.load(settings.file)
            before = dict(known)
            yield known
            if known != before:
                domains.save(settings.file, known.values())
    except OSError as error:
        raise DomainsError(f"{settings.file} can't be changed: {error}") from error


def _told(domain: Domain) -> dict[str, str]:
    return {"name": domain.name, "verified": domain.verified, "added": domain.added}


def _txt_name(domain: Domain) -> str:
    return f"{domains.TXT_LABEL}.{domain.name}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
