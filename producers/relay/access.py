"""Who may send through the relay: this machine, listed networks, and whoever has logged in over TLS."""

import ssl
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from producers.relay.users import Users
from sendtrail.errors import SettingsError, UsersError
from sendtrail.settings import RelaySettings

_BUSY = "454 4.7.0 Too many log-ins were tried from here, wait a minute"


class Access:
    """The rules of one relay."""

    def __init__(self, settings: RelaySettings) -> None:
        """Raises SettingsError where the relay would be open to anybody, or a file can't be used."""
        self._networks = [_network(text) for text in settings.networks]
        self.users = None if settings.users_file is None else _users(settings)
        self.tls = _tls(settings)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limit = RateLimitItemPerMinute(settings.logins_per_minute)
        if self.users is not None and self.tls is None:
            raise SettingsError("relay.users_file takes relay.tls_certificate_file: passwords come over TLS only")
        if not is_loopback(settings.host) and not self._networks and self.users is None:
            raise SettingsError(
                f"relay.host {settings.host} is not on loopback: list relay.networks, or give relay.users_file and "
                "relay.tls_certificate_file, or anybody could send through this relay"
            )

    def is_known(self, address: str) -> bool:
        """Whether a client at this address need not log in."""
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return ip.is_loopback or any(ip.version == network.version and ip in network for network in self._networks)

    def log_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        """aiosmtpd's authenticator."""
        peer = str(session.peer[0]) if session.peer else ""
        if not self._limiter.hit(self._limit, peer):
            return AuthResult(success=False, handled=False, message=_BUSY)
        if self.users is None or not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        try:
            name, password = data.login.decode(), data.password.decode()
        except UnicodeDecodeError:
            return AuthResult(success=False, handled=False)
        return AuthResult(success=self.users.may(name, password), handled=False)


def is_loopback(host: str) -> bool:
    """Whether a host to listen on is this machine only."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise SettingsError(f"relay.networks: {error}") from error
    if network.prefixlen == 0:
        raise SettingsError(f"relay.networks: {text} is everybody")
    return network


def _users(settings: RelaySettings) -> Users:
    if settings.users_file is None:
        raise SettingsError("relay.users_file is not set")
    try:
        return Users(settings.users_file)
    except UsersError as error:
        raise SettingsError(str(error)) from error


def _tls(settings: RelaySettings) -> ssl.SSLContext | None:
    certificate, key = settings.tls_certificate_file, settings.tls_key_file
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"relay.tls_certificate_file and relay.tls_key_file can't be used: {error}") from error
    return context
