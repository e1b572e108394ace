"""The admin's pages of how mail leaves. Importing a module registers its pages."""

from transport.admin import allowed_clients, dkim_keys, external_filters, queue, relays  # noqa: F401
