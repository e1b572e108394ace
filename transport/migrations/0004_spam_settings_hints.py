"""What a user has set about spam is known from the look-up at RCPT: its changes are told of as well."""

from django.db import migrations

TRIGGER = """
DROP TRIGGER tell_directory ON accounts_user;
CREATE TRIGGER tell_directory
    AFTER INSERT OR DELETE OR UPDATE OF {columns} ON accounts_user
    FOR EACH STATEMENT EXECUTE FUNCTION transport_tell_directory();
"""
BEFORE = "username, domain_id, is_active, is_staff"


class Migration(migrations.Migration):
    dependencies = [
        ("transport", "0003_directory_hints"),
        ("accounts", "0010_spam_settings"),
    ]
    operations = [
        migrations.RunSQL(
            TRIGGER.format(
                columns=f"{BEFORE}, spam_threshold, refuse_threshold, filter_spam_too"
            ),
            TRIGGER.format(columns=BEFORE),
        )
    ]
