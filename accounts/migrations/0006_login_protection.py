"""SCRAM verifiers (RFC 7677), and the addresses from which a user has logged in before."""

from django.db import migrations
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_annotations")]
    operations: list[Operation] = []
