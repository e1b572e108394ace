"""The queue refers to a blob by a RESTRICT key: no sweep takes away what still has to be sent."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("transport", "0001_initial"), ("accounts", "0002_mail_tables")]
    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE transport_queuedmessage ADD CONSTRAINT queued_message_blob
                FOREIGN KEY (blob_id) REFERENCES mail_blob ON DELETE RESTRICT;
            CREATE INDEX queued_message_blob ON transport_queuedmessage (blob_id);
            """
        )
    ]
