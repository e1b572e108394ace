"""The tables of `transport`: the outbound queue, relays, signing keys, what the SMTP listeners remember, and DMARC's tallies."""

from transport.models.allowed_client import AllowedClient
from transport.models.destination import Destination
from transport.models.dkim import DkimKey
from transport.models.dmarc_tally import DmarcTally
from transport.models.external_filter import ExternalFilter
from transport.models.queue import QueuedMessage, QueuedRecipient
from transport.models.relay import Relay
from transport.models.sts_policy import StsPolicy

__all__ = [
    "AllowedClient",
    "Destination",
    "DkimKey",
    "DmarcTally",
    "ExternalFilter",
    "QueuedMessage",
    "QueuedRecipient",
    "Relay",
    "StsPolicy",
]
