"""What scripts remember between deliveries, and users' lists of addresses."""

import django.db.models.deletion
import routing.models.address_list
from django.db import migrations, models


MEMORIES = """
-- `duplicate` (RFC 7352) and whom vacation has answered (RFC 5230): `key` is a digest. No model maps it:
-- only routing.filtering.memories touches it.
CREATE TABLE routing_memory (
    mailbox_id bigint NOT NULL REFERENCES accounts_mailbox ON DELETE CASCADE,
    kind text NOT NULL,
    key bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (mailbox_id, kind, key)
);
CREATE INDEX routing_memory_expires_at ON routing_memory (expires_at);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_unfiled'),
        ('routing', '0001_scripts'),
    ]

    operations = [
        migrations.RunSQL(MEMORIES, "DROP TABLE routing_memory"),
        migrations.CreateModel(
            name='AddressList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('members', models.TextField(blank=True, help_text='One address a line.', validators=[routing.models.address_list.validate_members])),
                ('mailbox', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='address_lists', to='accounts.mailbox')),
            ],
            options={
                'verbose_name': 'address list',
                'ordering': ['mailbox', 'name'],
                'constraints': [models.UniqueConstraint(fields=('mailbox', 'name'), name='one_address_list_a_name'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='address_list_has_a_name')],
            },
        ),
    ]
