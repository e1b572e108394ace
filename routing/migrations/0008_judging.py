from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("routing", "0007_spam_models")]
    operations = []
