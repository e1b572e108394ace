"""The tables of `routing`: Sieve scripts."""

from routing.models.global_script import GlobalScript
from routing.models.script import Script

__all__ = ["GlobalScript", "Script"]
