"""What lost its last entry is noted once a command, and looked at by the sweep.

A column of the message with an index cost an EXPUNGE more than everything else. Nor does an entry's foreign key stand any
longer: messages are deleted by the sweep alone, under their owner's turn, when no entry shows them.
"""

from django.db import migrations

UNFILED = """
CREATE TABLE mail_unfiled (
    owner_id bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    message_ids bigint[] NOT NULL,
    PRIMARY KEY (owner_id, id)
);
CREATE INDEX mail_unfiled_at ON mail_unfiled (at);
INSERT INTO mail_unfiled (owner_id, at, message_ids)
SELECT owner_id, max(unfiled_at), array_agg(id) FROM mail_message
WHERE unfiled_at IS NOT NULL GROUP BY owner_id, date_trunc('hour', unfiled_at), id / 100000;
ALTER TABLE mail_message DROP COLUMN unfiled_at;
ALTER TABLE mail_entry DROP CONSTRAINT mail_entry_owner_id_message_id_fkey;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_previews")]
    operations = [migrations.RunSQL(UNFILED)]
