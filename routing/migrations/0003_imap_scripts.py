"""How far the scripts that follow IMAP commands (RFC 6785) have come with each mailbox's events."""

from django.db import migrations

CURSORS = """
-- `done` messages of the event `event_id` were seen to, and all of the events before it. A mailbox has a row once a script
-- was named for one of its folders: what happened before that runs none.
CREATE TABLE routing_imap_cursor (
    mailbox_id bigint PRIMARY KEY REFERENCES accounts_mailbox ON DELETE CASCADE,
    event_id bigint NOT NULL,
    done integer NOT NULL DEFAULT 0
);

CREATE FUNCTION routing_begin_imap_scripts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO routing_imap_cursor (mailbox_id, event_id)
    SELECT m.id, COALESCE((SELECT max(e.id) + 1 FROM mail_event e WHERE e.owner_id = m.id), 0)
    FROM accounts_mailbox m WHERE NEW.owner_id IS NULL OR m.id = NEW.owner_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER begin_imap_scripts AFTER INSERT OR UPDATE ON mail_annotation
    FOR EACH ROW WHEN (NEW.name = '/shared/imapsieve/script' AND NEW.reader_id IS NULL)
    EXECUTE FUNCTION routing_begin_imap_scripts();
CREATE INDEX mail_annotation_imap_script ON mail_annotation (owner_id)
    WHERE name = '/shared/imapsieve/script';
"""

NO_CURSORS = """
DROP INDEX mail_annotation_imap_script;
DROP TRIGGER begin_imap_scripts ON mail_annotation;
DROP FUNCTION routing_begin_imap_scripts();
DROP TABLE routing_imap_cursor;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_unfiled"), ("routing", "0002_memories")]
    operations = [migrations.RunSQL(CURSORS, NO_CURSORS)]
