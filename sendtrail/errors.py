"""The failure vocabulary.

SendtrailError
├── BadName          a delivery, message or recipient name that can't be a key
├── BadLink          a link that must not be minted (destination, position)
├── BadAttributes    sender attributes that are too many, too long or no text
├── BadSource        a message file whose bytes are not of its character set
├── PolicyError      a policy that can't be, or a policy file that can't be read
├── SettingsError    an unknown or malformed setting; ends the program with exit code 3
├── KeysError        the key file is missing, unreadable or lacks what was asked of it
├── OverridesError   the file of link overrides is unreadable
├── DomainsError     the file of tracking domains is unreadable, lacks the domain asked for, or a name is no domain
├── UsersError       the users file of the report pages is unreadable, or lacks the user asked for
├── ApiError         the feed API refuses a request or does not answer
│   ├── ApiRefused       4xx: to repeat it unchanged is no use
│   ├── ApiUnavailable   no answer, or busy, for as long as was to be waited
│   └── BadItem          an item that can't be written as JSON
├── FileUnreadable   a file of events can't be read, or holds something else
├── BadColumns       a CSV file's columns are not those of items
├── ApiKeysError     the feed API's keys file is unreadable, or lacks the key asked for
└── TopicsError      a topic differs from the table TOPICS in a way that would lose data

Expected bad input (a forged link, an undecodable event) is not here: it is a value, `Invalid`.
"""

from typing import NamedTuple


class SendtrailError(Exception):
    """Base of every error this project raises; its text names the cause and the fix."""


class BadName(SendtrailError, ValueError):
    """A name outside 1-128 bytes, a boolean, a float, or an integer outside [0, 2^63)."""


class BadLink(SendtrailError, ValueError):
    """A destination that is not http or https, has control characters, or a field out of range."""


class BadAttributes(SendtrailError, ValueError):
    """More than 8 attributes of a message, or a name or value that is not a text of up to 256 characters."""


class BadSource(SendtrailError, ValueError):
    """A file of HTML or text can't be read in the character set it is said to have."""


class PolicyError(SendtrailError, ValueError):
    """A policy for messages asks for what can't be; the text names the key. Or its file can't be read or written."""


class SettingsError(SendtrailError):
    """A setting no class knows, or a value that does not fit."""


class KeysError(SendtrailError):
    """The key file can't be read or does not hold the key asked for."""


class OverridesError(SendtrailError):
    """The file of link overrides can't be read, or holds a destination that must not be followed."""


class DomainsError(SendtrailError):
    """The file of tracking domains can't be read, lacks the domain asked for, or a name is no domain."""


class UsersError(SendtrailError):
    """The users file can't be read, or does not hold the user asked for."""


class ApiError(SendtrailError):
    """The feed API refused a request, or did not answer in time."""


class ApiRefused(ApiError):
    """The feed API took nothing of a request, and will not when it is repeated unchanged. `status`: of HTTP."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class ApiUnavailable(ApiError):
    """The feed API did not answer or was busy for too long. What was sent last may be taken: repeat it, it counts
    once."""


class BadItem(ApiError):
    """An item that can't be written as JSON."""


class FileUnreadable(SendtrailError):
    """A file of events can't be read (on), or is no CSV and no JSON lines."""


class BadColumns(SendtrailError):
    """A CSV file's columns don't say what an item needs; the text names the column and the option that helps."""


class ApiKeysError(SendtrailError):
    """The file of the feed API's keys can't be read, or does not hold the key asked for."""


class TopicsError(SendtrailError):
    """A topic exists with another shape than the table TOPICS asks for."""


class Invalid(NamedTuple):
    """Bad input as a value: a machine-readable reason and a text for people."""

    reason: str
    detail: str = ""
