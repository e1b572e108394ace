from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("transport", "0006_external_filters")]

    operations = [
        migrations.AddField(
            model_name="dkimkey",
            name="record",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "not looked up yet"),
                    ("published", "Published"),
                    ("differs", "another record stands there"),
                    ("missing", "not in DNS"),
                ],
                db_default="",
                default="",
                editable=False,
                max_length=10,
                verbose_name="in DNS",
            ),
        ),
        migrations.AddField(
            model_name="dkimkey",
            name="checked_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="looked up"),
        ),
    ]
