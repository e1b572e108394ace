"""The tables of `routing`: Sieve scripts, and users' lists of addresses."""

from routing.models.address_list import AddressList
from routing.models.global_script import GlobalScript
from routing.models.script import Script
from routing.models.spam import SpamModel

__all__ = ["AddressList", "GlobalScript", "Script", "SpamModel"]
