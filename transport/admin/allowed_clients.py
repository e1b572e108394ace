"""The admin's pages of hosts that may send with a local domain in MAIL FROM."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from transport.models import AllowedClient


@admin.register(AllowedClient)
class AllowedClientAdmin(ModelAdmin):
    """Newsletter services and scanners of ours that SPF does not name."""

    list_display = ("network", "note")
    search_fields = ("network", "note")
