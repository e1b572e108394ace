"""Annotations of folders and of the server (METADATA, RFC 5464), and a quota of messages (RFC 9208 §5.2)."""

from django.db import migrations, models

ANNOTATIONS = """
-- `folder_id` NULL is the server; `reader_id` NULL is shared, else private to this reader; `owner_id` is the folder's,
-- the reader's for his private annotations of the server, and NULL for those that all share.
CREATE TABLE mail_annotation (
    owner_id bigint REFERENCES accounts_mailbox ON DELETE CASCADE,
    folder_id bigint,
    reader_id bigint REFERENCES accounts_mailbox ON DELETE CASCADE,
    name text NOT NULL,
    value bytea NOT NULL,
    UNIQUE NULLS NOT DISTINCT (owner_id, folder_id, reader_id, name),
    FOREIGN KEY (owner_id, folder_id) REFERENCES mail_folder ON DELETE CASCADE
);
CREATE INDEX mail_annotation_reader ON mail_annotation (reader_id);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_sharing")]
    operations = [
        migrations.RunSQL(ANNOTATIONS),
        migrations.AddField(
            model_name="mailbox",
            name="quota_messages",
            field=models.BigIntegerField(
                blank=True,
                help_text="Empty: no limit.",
                null=True,
                verbose_name="quota in messages",
            ),
        ),
    ]
