"""Recipients that are held, and next hops that are paused."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("transport", "0007_key_publication"),
    ]

    operations = [
        migrations.CreateModel(
            name="Destination",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("next_hop", models.CharField(max_length=300, unique=True)),
                ("is_paused", models.BooleanField(db_default=False, default=False)),
            ],
        ),
        migrations.AlterField(
            model_name="queuedrecipient",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting"),
                    ("held", "Held"),
                    ("delivered", "Delivered"),
                    ("failed", "Failed"),
                    ("cancelled", "Cancelled"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
    ]
