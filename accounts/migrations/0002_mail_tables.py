"""The tables of stored mail, in SQL: their keys lead with the owner, so that they can be partitioned by it.

No model maps them: only `accounts.mailstore` and `accounts.journal` touch them.
"""

from django.db import migrations

ADDRESS_TRIGGERS = """
-- Users, groups and apps keep their primary row in accounts_address, whichever code writes them: a name that
-- is taken fails on one_owner_an_address.
CREATE FUNCTION accounts_keep_primary_address() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    name := CASE TG_ARGV[0]
        WHEN 'user' THEN to_jsonb(NEW) ->> 'username'
        WHEN 'group' THEN to_jsonb(NEW) ->> 'name'
        ELSE COALESCE(NULLIF(to_jsonb(NEW) ->> 'local_part', ''), (to_jsonb(NEW) ->> 'name') || '.app')
    END;
    IF TG_OP = 'UPDATE' THEN
        EXECUTE format('UPDATE accounts_address SET domain_id = $1, local_part = $2 WHERE is_primary AND %I = $3',
            TG_ARGV[0] || '_id') USING NEW.domain_id, name, NEW.id;
    ELSE
        EXECUTE format('INSERT INTO accounts_address (domain_id, local_part, is_primary, %I) VALUES ($1, $2, true, $3)',
            TG_ARGV[0] || '_id') USING NEW.domain_id, name, NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_primary_address AFTER INSERT OR UPDATE OF domain_id, username ON accounts_user
    FOR EACH ROW EXECUTE FUNCTION accounts_keep_primary_address('user');
CREATE TRIGGER keep_primary_address AFTER INSERT OR UPDATE OF domain_id, name ON accounts_group
    FOR EACH ROW EXECUTE FUNCTION accounts_keep_primary_address('group');
CREATE TRIGGER keep_primary_address AFTER INSERT OR UPDATE OF domain_id, name, local_part ON accounts_app
    FOR EACH ROW EXECUTE FUNCTION accounts_keep_primary_address('app');
"""

MAIL_TABLES = """
-- UIDVALIDITY: 32 bits, never reused; it begins at the time of the migration, so that an installation made anew
-- does not repeat the values of the one before.
CREATE SEQUENCE mail_uid_validity;
SELECT setval('mail_uid_validity', extract(epoch FROM now())::bigint);

-- The message as it came, CRLF, once however many people receive it. `content` or `object_name`, never both.
CREATE TABLE mail_blob (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 bytea NOT NULL UNIQUE,
    size bigint NOT NULL,
    content bytea,
    object_name text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((content IS NULL) = (object_name <> '')),
    CHECK (octet_length(sha256) = 32)
);
ALTER TABLE mail_blob ALTER content SET STORAGE EXTERNAL;

-- One message of one owner. What a client reads is prefix + blob; `size` counts both. `unfiled_at` is when its
-- last folder entry went; a sweep deletes it 14 days later.
CREATE TABLE mail_message (
    owner_id bigint NOT NULL REFERENCES accounts_mailbox,
    id bigint GENERATED ALWAYS AS IDENTITY,
    blob_id bigint NOT NULL REFERENCES mail_blob ON DELETE RESTRICT,
    prefix bytea NOT NULL,
    size bigint NOT NULL,
    arrived_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz NOT NULL,
    sent_on date NOT NULL,
    message_id text NOT NULL DEFAULT '',
    reference_ids text[] NOT NULL DEFAULT '{}',
    base_subject text NOT NULL DEFAULT '',
    sort_from text NOT NULL DEFAULT '',
    sort_to text NOT NULL DEFAULT '',
    sort_cc text NOT NULL DEFAULT '',
    thread_id bigint,
    unfiled_at timestamptz,
    PRIMARY KEY (owner_id, id)
);
CREATE INDEX mail_message_blob ON mail_message (blob_id);
CREATE INDEX mail_message_unfiled ON mail_message (unfiled_at) WHERE unfiled_at IS NOT NULL;

-- Ready to send. `parts` are offsets into the blob, without the prefix. Derived from the blob: re-derivable.
CREATE TABLE mail_rendered (
    owner_id bigint NOT NULL,
    message_id bigint NOT NULL,
    envelope bytea NOT NULL,
    body bytea NOT NULL,
    body_structure bytea NOT NULL,
    parts bytea NOT NULL,
    PRIMARY KEY (owner_id, message_id),
    FOREIGN KEY (owner_id, message_id) REFERENCES mail_message ON DELETE CASCADE
);

-- Folded text (accounts.mailstore.structure says how), bounded, no NUL.
CREATE TABLE mail_search_text (
    owner_id bigint NOT NULL,
    message_id bigint NOT NULL,
    subject text NOT NULL,
    sender text NOT NULL,
    recipients text NOT NULL,
    copied text NOT NULL,
    header text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (owner_id, message_id),
    FOREIGN KEY (owner_id, message_id) REFERENCES mail_message ON DELETE CASCADE
);

-- Bits 0 to 4 of an entry's flags are \\Seen \\Answered \\Flagged \\Deleted \\Draft; bit 5+i is keywords[i+1].
CREATE TABLE mail_folder (
    owner_id bigint NOT NULL REFERENCES accounts_mailbox,
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    uid_validity bigint NOT NULL DEFAULT nextval('mail_uid_validity'),
    uid_next bigint NOT NULL DEFAULT 1 CHECK (uid_next BETWEEN 1 AND 2147483647),
    highest_modseq bigint NOT NULL DEFAULT 1,
    min_modseq bigint NOT NULL DEFAULT 1,
    special_use text NOT NULL DEFAULT '',
    message_count bigint NOT NULL DEFAULT 0,
    unseen_count bigint NOT NULL DEFAULT 0,
    deleted_count bigint NOT NULL DEFAULT 0,
    size_bytes bigint NOT NULL DEFAULT 0,
    keywords text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, name),
    CHECK (cardinality(keywords) <= 57)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX mail_folder_special_use ON mail_folder (owner_id, special_use) WHERE special_use <> '';

-- A subscription outlives its folder (RFC 9051 §6.3.7).
CREATE TABLE mail_subscription (
    owner_id bigint NOT NULL REFERENCES accounts_mailbox ON DELETE CASCADE,
    name text NOT NULL,
    PRIMARY KEY (owner_id, name)
);

CREATE TABLE mail_entry (
    owner_id bigint NOT NULL,
    folder_id bigint NOT NULL,
    uid bigint NOT NULL,
    message_id bigint NOT NULL,
    internal_date timestamptz NOT NULL,
    save_date timestamptz NOT NULL,
    flags bigint NOT NULL,
    modseq bigint NOT NULL,
    PRIMARY KEY (owner_id, folder_id, uid),
    FOREIGN KEY (owner_id, folder_id) REFERENCES mail_folder,
    FOREIGN KEY (owner_id, message_id) REFERENCES mail_message
) WITH (fillfactor = 70);
CREATE INDEX mail_entry_message ON mail_entry (owner_id, message_id);

-- One row a command and folder. kind: 1 arrived, 2 flags, 3 expunged. `uids` is an IMAP sequence-set.
CREATE TABLE mail_change (
    owner_id bigint NOT NULL,
    folder_id bigint NOT NULL,
    modseq bigint NOT NULL,
    kind smallint NOT NULL,
    uids text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, folder_id, modseq, kind),
    FOREIGN KEY (owner_id, folder_id) REFERENCES mail_folder ON DELETE CASCADE
);

-- The journals. What happened to stored mail, whoever did it:
CREATE TABLE mail_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    owner_id bigint NOT NULL,
    kind text NOT NULL,
    cause text NOT NULL,
    folder_id bigint NOT NULL,
    target_folder_id bigint,
    message_ids bigint[] NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX mail_event_owner ON mail_event (owner_id, id);

-- and what was decided and done about each message on its way:
CREATE TABLE trace_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    trace_id text NOT NULL,
    step text NOT NULL,
    result text NOT NULL,
    reason text NOT NULL DEFAULT '',
    sender text NOT NULL DEFAULT '',
    recipient text NOT NULL DEFAULT '',
    queue_id bigint,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX trace_event_trace ON trace_event (trace_id);
CREATE INDEX trace_event_at ON trace_event USING brin (at);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL(ADDRESS_TRIGGERS), migrations.RunSQL(MAIL_TABLES)]
