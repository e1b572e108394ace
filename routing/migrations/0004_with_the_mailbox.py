"""Scripts and address lists go with their mailbox also where SQL deletes it: the database itself cascades."""

from django.db import migrations

# Django names a foreign key by a hash.
_CASCADE = """
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT conrelid::regclass AS child, conname FROM pg_constraint
        WHERE contype = 'f' AND confrelid = 'accounts_mailbox'::regclass
            AND conrelid IN ('routing_script'::regclass, 'routing_addresslist'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.child, found.conname);
        EXECUTE format(
            'ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (mailbox_id) REFERENCES accounts_mailbox'
            ' ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED', found.child, found.conname);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("routing", "0003_imap_scripts")]
    operations = [migrations.RunSQL(_CASCADE, migrations.RunSQL.noop)]
