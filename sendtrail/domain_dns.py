"""What DNS says of a tracking domain: does it lead to the edge, and does its owner want that?"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver

from sendtrail.domains import TXT_LABEL, Domain

_DNS_PORT = 53
_ADDRESSES: tuple[dns.rdatatype.RdataType, ...] = (dns.rdatatype.A, dns.rdatatype.AAAA)


class DnsSilent(Exception):
    """DNS gave no answer either way: nothing is known, so nothing changes."""


@dataclass(frozen=True)
class Verdict:
    """What was found. `faults`: what keeps the domain from being verified, for people; none: it is."""

    leads_by: str
    faults: tuple[str, ...]


class Asker:
    """Asks DNS. `resolvers`: `address` or `address:port`, empty for the system's; `timeout_s` for each answer."""

    def __init__(self, resolvers: Sequence[str], timeout_s: float) -> None:
        """Raises DnsSilent where the system names no DNS server."""
        try:
            self._resolver = dns.resolver.Resolver(configure=not resolvers)
        except dns.resolver.NoResolverConfiguration as error:
            raise DnsSilent(f"the system names no DNS server ({error}): set domains.resolvers") from error
        if resolvers:
            self._resolver.nameservers = [_nameserver(one) for one in resolvers]
        self._resolver.lifetime = timeout_s

    def verify(self, domain: Domain, target: str, addresses: Sequence[str]) -> Verdict:
        """Compare a domain's records with what they should be. Raises DnsSilent where an answer did not come.

        `target`: the host a CNAME leads to; `addresses`: what A and AAAA may say, empty for those of the target.
        """
        faults = []
        leads_by = self._leads_by(domain.name, target.rstrip(".").lower(), addresses)
        if not leads_by:
            faults.append(f"it does not lead here: make it a CNAME of {target}, or give it the same addresses")
        place = f"{TXT_LABEL}.{domain.name}"
        if domain.txt not in self._texts(place):
            faults.append(f'its owner does not confirm it: make a TXT record {place} "{domain.txt}"')
        return Verdict(leads_by, tuple(faults))

    def _leads_by(self, name: str, target: str, addresses: Sequence[str]) -> str:
        """CNAME or addresses, empty for neither. All its addresses have to be ours: a name leads to any of them."""
        chain, found = self._addresses(name)
        if target in chain:
            return "CNAME"
        ours = {str(ipaddress.ip_address(one)) for one in addresses} or self._addresses(target)[1]
        return "addresses" if found and found <= ours else ""

    def _addresses(self, name: str) -> tuple[set[str], set[str]]:
        """The names a name is an alias of, and its addresses."""
        chain: set[str] = set()
        found: set[str] = set()
        for kind in _ADDRESSES:
            answer = self._ask(name, kind)
            if answer is None:
                continue
            for record in answer.response.answer:
                if record.rdtype == dns.rdatatype.CNAME:
                    chain |= {item.target.to_text(omit_final_dot=True).lower() for item in record}
            if answer.rrset is not None:
                found |= {str(ipaddress.ip_address(item.address)) for item in answer.rrset}
        return chain, found

    def _texts(self, name: str) -> list[str]:
        answer = self._ask(name, dns.rdatatype.TXT)
        if answer is None or answer.rrset is None:
            return []
        return [b"".join(item.strings).decode("utf-8", "replace").strip() for item in answer.rrset]

    def _ask(self, name: str, kind: dns.rdatatype.RdataType) -> dns.resolver.Answer | None:
        """The answer, None where DNS says that there is none."""
        try:
            return self._resolver.resolve(f"{name}.", kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return None
        except dns.exception.DNSException as error:
            raise DnsSilent(f"DNS does not say what {name} is: {error}") from error


def _nameserver(text: str) -> dns.nameserver.Nameserver:
    host, colon, port = text.rpartition(":")
    if text.startswith("[") and text.endswith("]"):
        return dns.nameserver.Do53Nameserver(text[1:-1], _DNS_PORT)
    if not colon:
        return dns.nameserver.Do53Nameserver(text, _DNS_PORT)
    return dns.nameserver.Do53Nameserver(host.strip("[]"), int(port))
