"""The admin's pages of trusted ARC sealers and DMARC overrides."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from routing.models import DmarcOverride, TrustedSealer


@admin.register(TrustedSealer)
class TrustedSealerAdmin(ModelAdmin):
    list_display = ("domain", "reason")
    search_fields = ("domain", "reason")
    fieldsets = (
        (
            None,
            {
                "fields": ("domain", "reason"),
                "description": "Forwarders and lists break what proves who wrote a message. One who is trusted here is "
                "believed when it says, in its ARC seal, that the author's domain had passed when the message came to it.",
            },
        ),
    )


@admin.register(DmarcOverride)
class DmarcOverrideAdmin(ModelAdmin):
    list_display = ("domain", "policy", "reason")
    list_filter = ("policy",)
    search_fields = ("domain", "reason")
    fieldsets = (
        (
            None,
            {
                "fields": ("domain", "policy", "reason"),
                "description": "For an author's domain, and those below it, whose own mail fails its own DMARC policy.",
            },
        ),
    )
