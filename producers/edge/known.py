"""What the edge knows beside a request: keys and policies, made of settings and files, replaced as a whole."""

from pathlib import Path

import msgspec

from producers.edge.addresses import TrustedProxies
from producers.edge.click_cookie import ClickCookie, click_cookie_of
from producers.edge.cookies import CookiePolicy, policy_of
from producers.edge.mirror import Contents
from producers.edge.pages import Pages, load
from producers.edge.sites import Sites
from producers.edge.web_limit import WebLimit
from sendtrail import overrides
from sendtrail.errors import OverridesError, SettingsError
from sendtrail.keyring import Keyring
from sendtrail.overrides import Overrides
from sendtrail.settings import AnswerSettings, Config, CookieSettings, EdgeSettings, TrackingSettings


class Known(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All `collect` may look at besides the request. Frozen: a file read again makes another one."""

    keyring: Keyring
    pages: Pages
    proxies: TrustedProxies
    sites: Sites
    web_limit: WebLimit
    cookies: CookiePolicy | None = None
    contents: Contents | None = None
    overrides: Overrides = msgspec.field(default_factory=dict)
    clicks: ClickCookie | None = None


def known_of(keyring: Keyring, config: Config) -> Known:
    """What an edge knows at its start. Raises SettingsError naming the setting that does not fit."""
    settings = config.section(EdgeSettings)
    answers = config.section(AnswerSettings)
    return Known(
        keyring=keyring,
        pages=load(answers.language, answers.templates_dir),
        proxies=TrustedProxies(settings.trusted_proxies),
        sites=Sites(settings.sites),
        web_limit=WebLimit(settings.unsigned_per_minute),
        cookies=policy_of(config.section(TrackingSettings).visitor_cookies, config.section(CookieSettings)),
        contents=None if answers.contents_dir is None else Contents(answers.contents_dir),
        overrides=_overrides(answers.overrides_file),
        clicks=click_cookie_of(config.section(TrackingSettings).visitor_cookies, config.section(CookieSettings)),
    )


def _overrides(path: Path) -> Overrides:
    try:
        return overrides.load(path)
    except OverridesError as error:
        raise SettingsError(f"setting answers.overrides_file: {error}") from error
