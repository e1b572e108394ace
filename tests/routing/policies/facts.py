"""Facts about a harmless client, and what a test changes of them."""

from dataclasses import replace
from typing import Any

from accounts.addresses import Address
from routing.policies.framework import Facts

HARMLESS = Facts(
    client_address="192.0.2.7",
    helo="mail.example.org",
    hostname="mx.here.test",
    reverse_path=Address("joe", "example.org"),
    recipient=Address("ann", "here.test"),
)


def facts(**changes: Any) -> Facts:
    return replace(HARMLESS, **changes)
