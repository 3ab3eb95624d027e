"""What the loader takes from the key file, for it and for whoever does its work again (sendtrail replay)."""

from sendtrail import keyring
from sendtrail.errors import KeysError, SettingsError
from sendtrail.settings import Config, KeySettings, LoaderSettings
from sinks.addresses import IN_FULL, Keep, keeping


def naming_key(config: Config) -> bytes:
    """b"" where there is no key file: then nobody can be erased."""
    try:
        return keyring.load(config.section(KeySettings).file).naming_key
    except KeysError:
        return b""


def keep_addresses(config: Config) -> Keep:
    """Raises SettingsError where the key file is needed and can't be read."""
    policy = config.section(LoaderSettings).addresses
    if policy == "full":
        return IN_FULL
    try:
        return keeping(policy, keyring.load(config.section(KeySettings).file).naming_key)
    except KeysError as error:
        raise SettingsError(f"setting loader.addresses {policy} takes the key file (keys.file): {error}") from error
