"""The tables of `transport`: the outbound queue, relays, and signing keys."""

from transport.models.dkim import DkimKey
from transport.models.queue import QueuedMessage, QueuedRecipient
from transport.models.relay import Relay

__all__ = ["DkimKey", "QueuedMessage", "QueuedRecipient", "Relay"]
