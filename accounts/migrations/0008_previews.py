"""Previews (RFC 8970). Mail from before has none stored: it shows the beginning of its search text."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_conversations")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE mail_rendered ADD preview text",
            "ALTER TABLE mail_rendered DROP preview",
        )
    ]
