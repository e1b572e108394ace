"""Conversations (THREADID, RFC 8474), and what THREAD and SORT=DISPLAY compare.

What is here already gets its values by `manage.py fillconversations`, in batches; new mail at delivery.
"""

from django.db import migrations

SQL = """
-- `thread_id` was there, empty. `is_reply`: the subject says that it is a reply or a forward (RFC 5256 §3); the texts
-- are RFC 5957's sort values, folded.
ALTER TABLE mail_message
    ADD is_reply boolean NOT NULL DEFAULT false,
    ADD display_from text NOT NULL DEFAULT '',
    ADD display_to text NOT NULL DEFAULT '';
-- A reply joins the conversation of the reply that it names; whoever names a first message knows the conversation
-- without looking (accounts.mailstore.conversations). Most mail names nobody, and costs nothing here.
CREATE INDEX mail_message_reply ON mail_message (owner_id, message_id) WHERE reference_ids <> '{}';
"""
REVERSE = """
DROP INDEX mail_message_reply;
ALTER TABLE mail_message DROP is_reply, DROP display_from, DROP display_to;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_login_protection")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
