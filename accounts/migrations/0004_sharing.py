"""Shared folders (RFC 4314): rights, and which messages each reader has seen."""

from django.db import migrations
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_directory_rules")]
    operations: list[Operation] = []
