"""Settings of tracking domains."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from sendtrail.settings.section import Section

_SERVER = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[0-9.]+)(?::[0-9]{1,5})?")


def _server(text: str) -> str:
    if not _SERVER.fullmatch(text):
        raise ValueError(f"{text!r} is not like 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53")
    return text


class DomainSettings(Section):
    """Tracking domains of senders' own."""

    section: ClassVar[str] = "domains"
    file: Path = Field(
        Path(".sendtrail/domains.toml"), description="the domains; `sendtrail domains` writes it, edges read it again"
    )
    target: str = Field("", description="host that domains lead to by CNAME; empty: that of tracking.base_url")
    addresses: list[Annotated[str, AfterValidator(lambda text: str(ip_address(text)))]] = Field(
        default_factory=list, description="addresses a domain may have in place of a CNAME; empty: those of the target"
    )
    resolvers: list[Annotated[str, AfterValidator(_server)]] = Field(
        default_factory=list, description="DNS servers to ask; empty: the system's"
    )
    timeout_s: float = Field(5.0, gt=0, description="for one answer of DNS")
