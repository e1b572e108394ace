from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("routing", "0004_with_the_mailbox")]
    operations = []
