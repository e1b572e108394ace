"""Shared folders (RFC 4314): rights, and which messages each reader has seen."""

from django.db import migrations

SHARING = """
-- Whether the folder was ever shared: what its owner does alone then costs nothing more than before.
ALTER TABLE mail_folder ADD COLUMN is_shared boolean NOT NULL DEFAULT false;

-- An entry of a folder's access control list: for a mailbox, or for everyone in a domain, the owner's at that time. The
-- owner has every right and no row.
CREATE TABLE mail_right (
    owner_id bigint NOT NULL,
    folder_id bigint NOT NULL,
    grantee_id bigint REFERENCES accounts_mailbox ON DELETE CASCADE,
    domain_id bigint REFERENCES accounts_domain ON DELETE CASCADE,
    is_negative boolean NOT NULL DEFAULT false,
    rights text NOT NULL,
    UNIQUE NULLS NOT DISTINCT (owner_id, folder_id, grantee_id, is_negative),
    FOREIGN KEY (owner_id, folder_id) REFERENCES mail_folder ON DELETE CASCADE
);
CREATE INDEX mail_right_grantee ON mail_right (grantee_id);
CREATE INDEX mail_right_domain ON mail_right (domain_id) WHERE domain_id IS NOT NULL;

-- \\Seen of a reader who is not the owner. A row that says false is kept for its modseq.
CREATE TABLE mail_seen (
    owner_id bigint NOT NULL,
    folder_id bigint NOT NULL,
    uid bigint NOT NULL,
    reader_id bigint NOT NULL,
    is_seen boolean NOT NULL,
    modseq bigint NOT NULL,
    PRIMARY KEY (owner_id, folder_id, uid, reader_id)
);
CREATE INDEX mail_seen_reader ON mail_seen (reader_id, owner_id, folder_id, is_seen);

-- Kind 4: a reader's \\Seen changed; it is news to this reader alone.
ALTER TABLE mail_change ADD COLUMN reader_id bigint;

-- The names that stand for other users' folders from now on.
UPDATE mail_folder SET name = 'Shared (mine)' || substr(name, 7) WHERE name ~ '^Shared/[^@]+@[^/]+(/|$)';
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_directory_rules")]
    operations = [migrations.RunSQL(SHARING)]
