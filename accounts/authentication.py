"""Who is this login."""

from django.contrib.auth.backends import ModelBackend


class AdminBackend(ModelBackend):
    """Logs users in to the admin by full address, or by bare username in the default domain."""
