"""What gateways, clients and people do to links, as functions of the sound request target `/c/<token>`."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

Damage = Callable[[str], str]
_ADDRESS = "https://track.example"


def _all(text: str) -> str:
    return quote(text, safe="")


def _at(target: str, place: int, inserted: str) -> str:
    return target[:place] + inserted + target[place:]


def _folded(target: str, fold: str) -> str:
    return fold.join(target[place : place + 70] for place in range(0, len(target), 70))


#: Undone: the MAC of the token inside still proves it.
RECOVERED: dict[str, Damage] = {
    "untouched": lambda t: t,
    "added query": lambda t: t + "?utm_source=gateway&x=1",
    "added ampersand": lambda t: t + "&data=05%7C02%7C&reserved=0",
    "added html ampersand": lambda t: t + "&amp;x=1",
    "added semicolon": lambda t: t + ";jsessionid=1",
    "added fragment": lambda t: t + "#top",
    "added escaped fragment": lambda t: t + "%23top",
    "added escaped query": lambda t: t + "%3Fx%3D1",
    "trailing slash": lambda t: t + "/",
    "trailing full stop": lambda t: t + ".",
    "trailing comma and word": lambda t: t + ",%20then",
    "trailing brackets": lambda t: t + ")%5D%3E",
    "trailing quote": lambda t: t + "%22",
    "trailing typographic quote": lambda t: t + "%E2%80%9D",
    "trailing emphasis": lambda t: t + "_",
    "trailing dashes": lambda t: t + "--",
    "trailing asterisks": lambda t: t + "**",
    "trailing equals sign": lambda t: t + "=",
    "trailing quoted-printable equals sign": lambda t: t + "=3D",
    "escaped": lambda t: "/" + _all(t),
    "escaped letters": lambda t: t[:3] + "".join(f"%{ord(c):02X}" for c in t[3:]),
    "escaped twice": lambda t: "/" + _all(_all(t)),
    "escaped three times": lambda t: "/" + _all(_all(_all(t))),
    "escaped slash": lambda t: t.replace("/c/", "/c%2F"),
    "escaped in lower case": lambda t: t.replace("/c/", "/c%2f"),
    "doubled slashes": lambda t: t.replace("/", "//"),
    "backslash": lambda t: t.replace("/c/", "/c%5C"),
    "slash inside": lambda t: _at(t, 30, "/"),
    "upper-cased letter": lambda t: t.replace("/c/", "/C/"),
    "soft line break": lambda t: _folded(t, "=%0D%0A"),
    "soft line break, line feed": lambda t: _folded(t, "=%0A"),
    "soft line break and query": lambda t: _folded(t, "=%0D%0A") + "?x=1",
    "line feed inside": lambda t: _at(t, 35, "%0A"),
    "folded line inside": lambda t: _at(t, 35, "%0D%0A%20%20"),
    "space inside": lambda t: _at(t, 35, "%20"),
    "space inside and word after": lambda t: _at(t, 35, "%20") + "%20Click%20here",
    "zero-width space inside": lambda t: _at(t, 35, "%E2%80%8B"),
    "soft hyphen inside": lambda t: _at(t, 35, "%C2%AD"),
    "leading space": lambda t: t.replace("/c/", "/c/%20"),
    "quoted-printable equals sign before": lambda t: t.replace("/c/", "/c/=3D"),
    "quoted-printable letter": lambda t: t[:35] + f"={ord(t[35]):02X}" + t[36:],
    "character references": lambda t: t.replace("/", "&#47;"),
    "character references, hexadecimal": lambda t: t.replace("/", "&#x2F;"),
    "in a path": lambda t: f"/safe/{_ADDRESS}{t}",
    "in a path, escaped": lambda t: "/safe/" + _all(_ADDRESS + t) + "/end",
    "in a query": lambda t: f"/?url={_ADDRESS}{t}&data=1",
    "in a query, escaped": lambda t: "/?url=" + _all(_ADDRESS + t) + "&data=1",
    "in a query, escaped twice": lambda t: "/go?u=" + _all(_all(_ADDRESS + t)) + "&amp;s=1",
    "absolute request target": lambda t: _ADDRESS + t,
    "behind another route": lambda t: "/c" + t,
}

#: Lost: letters of the token itself are gone. Name -> damage and the stated reason.
LOST: dict[str, tuple[Damage, str]] = {
    "lower-cased": (str.lower, "unknown_version"),
    "upper-cased": (str.upper, "bad_mac"),
    "last letter gone": (lambda t: t[:-1], "malformed"),
    "cut in half": (lambda t: t[: len(t) // 2], "bad_mac"),
    "cut to the head": (lambda t: t[:20], "malformed"),
    "no token": (lambda t: "/c/", "not_a_link"),
    "one letter changed": (lambda t: t[:30] + ("B" if t[30] == "A" else "A") + t[31:], "bad_mac"),
    "two letters swapped": (lambda t: t[:8] + t[9] + t[8] + t[10:], "bad_mac"),
    "other route": (lambda t: "/o" + t[2:], "wrong_kind"),
    "other route, upper case": (lambda t: "/U" + t[2:], "wrong_kind"),
    "no route": (lambda t: t[3:], "not_a_link"),
    "another page": (lambda t: "/robots.txt", "not_a_link"),
    "nothing": (lambda t: "", "not_a_link"),
}
