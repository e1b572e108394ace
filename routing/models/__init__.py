"""The tables of `routing`: Sieve scripts, users' lists of addresses, what was learned about spam, policies."""

from routing.models.address_list import AddressList
from routing.models.dmarc import DmarcOverride, TrustedSealer
from routing.models.dnsbl import DnsblZone
from routing.models.global_script import GlobalScript
from routing.models.policies import ListedSender, PolicySetting
from routing.models.script import Script
from routing.models.spam import SpamModel

__all__ = [
    "AddressList",
    "DmarcOverride",
    "DnsblZone",
    "GlobalScript",
    "ListedSender",
    "PolicySetting",
    "Script",
    "SpamModel",
    "TrustedSealer",
]
