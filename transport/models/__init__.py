"""The tables of `transport`: the outbound queue, relays, signing keys, and what the SMTP listeners remember."""

from transport.models.allowed_client import AllowedClient
from transport.models.dkim import DkimKey
from transport.models.queue import QueuedMessage, QueuedRecipient
from transport.models.relay import Relay

__all__ = [
    "AllowedClient",
    "DkimKey",
    "QueuedMessage",
    "QueuedRecipient",
    "Relay",
]
