"""Every change that decides what RCPT is answered is told of, by statement: what listens forgets what it remembers.

Deliveries change how much a mailbox holds, which is not told of.
"""

from django.db import migrations

TABLES = {
    "accounts_domain": "INSERT OR UPDATE OR DELETE",
    "accounts_domain_catch_all": "INSERT OR UPDATE OR DELETE",
    "accounts_address": "INSERT OR UPDATE OR DELETE",
    "accounts_app": "INSERT OR UPDATE OR DELETE",
    "accounts_user": "INSERT OR UPDATE OF username, domain_id, is_active, is_staff OR DELETE",
    "accounts_mailbox": "INSERT OR UPDATE OF user_id, app_id, name, quota_bytes, quota_messages OR DELETE",
    "routing_script": "INSERT OR UPDATE OR DELETE",
    "routing_globalscript": "INSERT OR UPDATE OR DELETE",
}
FUNCTION = """
CREATE FUNCTION transport_tell_directory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('mail_directory', '');
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER tell_directory AFTER {events} ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION transport_tell_directory();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("transport", "0002_queue_blob_key"),
        ("accounts", "0009_unfiled"),
        ("routing", "0001_scripts"),
    ]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION transport_tell_directory"),
        *(
            migrations.RunSQL(
                TRIGGER.format(events=events, table=table),
                f"DROP TRIGGER tell_directory ON {table}",
            )
            for table, events in TABLES.items()
        ),
    ]
