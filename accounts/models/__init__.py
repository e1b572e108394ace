"""The tables of `accounts` that the admin edits. Mail itself lives in `accounts.mailstore`."""

from accounts.models.address import Address, Alias
from accounts.models.app import App
from accounts.models.credential import Credential
from accounts.models.domain import Domain
from accounts.models.group import Group, GroupMember
from accounts.models.known_network import KnownNetwork
from accounts.models.login_failure import LoginFailure
from accounts.models.mailbox import Mailbox
from accounts.models.sending import SendingCount
from accounts.models.srs import SrsAddress
from accounts.models.trace import TraceEntry
from accounts.models.user import User

__all__ = [
    "Address",
    "Alias",
    "App",
    "Credential",
    "Domain",
    "Group",
    "GroupMember",
    "KnownNetwork",
    "LoginFailure",
    "Mailbox",
    "SendingCount",
    "SrsAddress",
    "TraceEntry",
    "User",
]
