"""The admin's pages of who exists. Importing a module registers its pages."""

from accounts.admin import (  # noqa: F401
    aliases,
    apps,
    domains,
    groups,
    login_failures,
    mailboxes,
    sending,
    trace,
    users,
)
