"""Who the demo's newsletters go to: recipients over twelve mail domains, each with the programs that read for them."""

import random
from dataclasses import dataclass
from typing import Literal

#: Mail domains and their share of the audience. The last three stand for companies with a link scanner.
DOMAINS: dict[str, int] = {
    "gmail.com": 34, "outlook.com": 14, "yahoo.com": 10, "icloud.com": 12, "hotmail.com": 6, "gmx.de": 5, "web.de": 4,
    "orange.fr": 4, "aol.com": 3, "office.example.com": 2, "works.example.net": 1, "college.example.org": 1,
}  # fmt: skip
SCANNED = ("office.example.com", "works.example.net", "college.example.org")

PHONES = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 "
    "Chrome/125.0.0.0 Mobile Safari/537.36",
)
DESKTOPS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Thunderbird/144.0",
)
GMAIL_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
APPLE_PROXY = "Mozilla/5.0"
SCANNER = "BarracudaCentral/1.0 (link scanner)"
MAILBOX_PROVIDER = "Mozilla/5.0 (compatible; one-click-unsubscribe)"

Reader = Literal["phone", "desktop", "gmail", "apple"]


@dataclass(frozen=True)
class Recipient:
    """One addressee of the demo. `address`: of the program that reads; `scanner`: of the company's link scanner."""

    name: str
    domain: str
    reader: Reader
    user_agent: str
    address: str
    scanner: str | None
    text_only: bool
    seed: bool


def audience(size: int, dice: random.Random) -> list[Recipient]:
    """`size` recipients; the same dice give the same audience. The last five are seeds."""
    names, weights = list(DOMAINS), list(DOMAINS.values())
    return [_recipient(number, dice.choices(names, weights)[0], size, dice) for number in range(size)]


def _recipient(number: int, domain: str, size: int, dice: random.Random) -> Recipient:
    reader: Reader = "phone" if dice.random() < 0.55 else "desktop"
    if domain == "gmail.com":
        reader = "gmail"
    elif domain == "icloud.com" and dice.random() < 0.8:
        reader = "apple"
    return Recipient(
        name=f"r{number + 1:05d}",
        domain=domain,
        reader=reader,
        user_agent=dice.choice(PHONES if reader in ("phone", "apple") else DESKTOPS),
        address=f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}",
        scanner=f"203.0.113.{1 + SCANNED.index(domain)}" if domain in SCANNED else None,
        text_only=dice.random() < 0.03,
        seed=number >= size - 5,
    )
