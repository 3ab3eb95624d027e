"""Settings: one frozen class per stage, from a TOML file and `SENDTRAIL_…` environment variables.

The file's tables are the classes' sections: `[kafka] bootstrap = "host:9092"`. The environment wins over the file:
`SENDTRAIL_KAFKA_BOOTSTRAP`. The file is `SENDTRAIL_CONFIG`, else `sendtrail.toml` in the working directory if there.
A key that no class knows, in either place, is a SettingsError naming it; programs end with exit code 3.
"""

from sendtrail.settings.answers import AnswerSettings, CookieSettings
from sendtrail.settings.api import ApiSettings
from sendtrail.settings.config import CONFIG_VARIABLE, EXIT_CODE, PREFIX, SHORT_FORMS, Config, load, variables
from sendtrail.settings.domains import DomainSettings
from sendtrail.settings.edge import EdgeSettings
from sendtrail.settings.feed import FeedSettings
from sendtrail.settings.mta import MtaSettings
from sendtrail.settings.providers import ProvidersSettings
from sendtrail.settings.relay import RelaySettings
from sendtrail.settings.retention import RetentionSettings
from sendtrail.settings.section import Section
from sendtrail.settings.stages import (
    SECTIONS,
    ClickHouseSettings,
    ForwardSettings,
    KafkaSettings,
    KeySettings,
    LoaderSettings,
    LocalSettings,
    ReportSettings,
    StreamSettings,
    TrackingSettings,
    WebSettings,
)

__all__ = [
    "CONFIG_VARIABLE",
    "EXIT_CODE",
    "PREFIX",
    "SECTIONS",
    "SHORT_FORMS",
    "AnswerSettings",
    "ApiSettings",
    "ClickHouseSettings",
    "Config",
    "CookieSettings",
    "DomainSettings",
    "EdgeSettings",
    "FeedSettings",
    "ForwardSettings",
    "KafkaSettings",
    "KeySettings",
    "LoaderSettings",
    "LocalSettings",
    "MtaSettings",
    "ProvidersSettings",
    "RelaySettings",
    "ReportSettings",
    "RetentionSettings",
    "Section",
    "StreamSettings",
    "TrackingSettings",
    "WebSettings",
    "load",
    "variables",
]
