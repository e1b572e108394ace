"""The admin's pages of what is decided about mail. Importing a module registers its pages."""

from routing.admin import (  # noqa: F401
    address_lists,
    dmarc,
    dnsbl,
    global_scripts,
    listed_senders,
    policies,
    scripts,
    spam_models,
)
