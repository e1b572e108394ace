"""SCRAM verifiers (RFC 7677), and the networks from which an account has logged in before."""

import django.db.models.deletion
from django.db import migrations, models

import accounts.scram

# Each account gets a salt of its own. Verifiers come with the next password, or the next login by PLAIN.
_ADD_COLUMNS = """
    ALTER TABLE accounts_user
        ADD COLUMN scram_salt bytea NOT NULL
            DEFAULT substring(sha256(uuid_send(gen_random_uuid())), 1, 16),
        ADD COLUMN scram_verifier bytea NOT NULL DEFAULT '';
    ALTER TABLE accounts_app
        ADD COLUMN scram_salt bytea NOT NULL
            DEFAULT substring(sha256(uuid_send(gen_random_uuid())), 1, 16);
    ALTER TABLE accounts_credential ADD COLUMN scram_verifier bytea NOT NULL DEFAULT '';
"""


def _salt() -> models.BinaryField:
    return models.BinaryField(default=accounts.scram.new_salt, editable=False, max_length=16)


def _verifier() -> models.BinaryField:
    return models.BinaryField(default=bytes, editable=False, max_length=100)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_annotations")]
    operations = [
        migrations.RunSQL(
            _ADD_COLUMNS,
            state_operations=[
                migrations.AddField("user", "scram_salt", _salt()),
                migrations.AddField("user", "scram_verifier", _verifier()),
                migrations.AddField("app", "scram_salt", _salt()),
                migrations.AddField("credential", "scram_verifier", _verifier()),
            ],
        ),
        migrations.AlterField(
            "loginfailure",
            "source",
            models.CharField(
                blank=True,
                help_text="An IPv4 address, or the /64 network of an IPv6 address. Empty: any.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            "loginfailure",
            "is_known",
            models.BooleanField(
                default=False,
                help_text="The account has logged in from there before.",
                verbose_name="known network",
            ),
        ),
        migrations.AlterModelOptions(
            name="loginfailure",
            options={"ordering": ["-last_at"], "verbose_name": "blocked login"},
        ),
        migrations.CreateModel(
            name="KnownNetwork",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "network",
                    models.CharField(
                        help_text="An IPv4 address, or the /64 network of an IPv6 address.",
                        max_length=64,
                    ),
                ),
                ("first_at", models.DateTimeField(auto_now_add=True)),
                ("last_at", models.DateTimeField(auto_now_add=True, db_index=True)),
                (
                    "app",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="known_networks",
                        to="accounts.app",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="known_networks",
                        to="accounts.user",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("app__isnull", True), ("user__isnull", False)),
                            models.Q(("app__isnull", False), ("user__isnull", True)),
                            _connector="OR",
                        ),
                        name="one_owner_a_network",
                    ),
                    models.UniqueConstraint(
                        fields=("user", "app", "network"),
                        name="one_row_a_network",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
    ]
