"""What the database itself refuses in the directory, whichever code writes."""

from django.db import migrations

RULES = """
-- Names are stored as they are compared (accounts.addresses folds all of Unicode; this catches what forgot to),
-- hold no +, which begins a tag, and are none of the addresses that stand for a reverse-path.
ALTER TABLE accounts_address ADD CONSTRAINT canonical_local_part
    CHECK (local_part <> '' AND local_part !~ '[A-Z+@]' AND local_part NOT LIKE 'srs0=%');
ALTER TABLE accounts_domain ADD CONSTRAINT canonical_domain
    CHECK (name ~ '^[a-z0-9_.-]+$');

-- The postmaster of a domain that named none.
CREATE INDEX administrators ON accounts_user (id) WHERE is_staff AND is_active;

-- A group never reaches itself. Two changes that make a loop only together wait for each other.
CREATE FUNCTION accounts_refuse_group_loop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.member_group_id IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('accounts_group_loop'));
    IF EXISTS (
        WITH RECURSIVE reached(id) AS (
            SELECT NEW.member_group_id
            UNION
            SELECT m.member_group_id FROM reached r JOIN accounts_groupmember m ON m.group_id = r.id
            WHERE m.member_group_id IS NOT NULL
        )
        SELECT FROM reached WHERE id = NEW.group_id
    ) THEN
        RAISE check_violation USING MESSAGE = 'the group would reach itself', CONSTRAINT = 'no_group_loop';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse_group_loop AFTER INSERT OR UPDATE OF group_id, member_group_id ON accounts_groupmember
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_group_loop();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_mail_tables")]
    operations = [migrations.RunSQL(RULES)]
