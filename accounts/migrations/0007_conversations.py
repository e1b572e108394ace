"""Conversations (THREADID, RFC 8474) and what large searches need."""

from django.db import migrations
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_login_protection")]
    operations: list[Operation] = []
