"""Annotations of folders and of the server (METADATA, RFC 5464)."""

from django.db import migrations
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_sharing")]
    operations: list[Operation] = []
