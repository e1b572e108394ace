"""The networks that a user or an app has logged in from, on their pages."""

from unfold.admin import TabularInline

from accounts.models import KnownNetwork


class KnownNetworkInline(TabularInline):
    """Where a user or an app has logged in before, and a way to forget it."""

    model = KnownNetwork
    fields = ("network", "first_at", "last_at")
    readonly_fields = fields
    extra = 0
    max_num = 0
    hide_title = True
    verbose_name_plural = "known networks: attacks from elsewhere do not block logins from these"
