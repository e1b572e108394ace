"""How is it put together and run?"""

from django.apps import AppConfig


class MailsiteConfig(AppConfig):
    name = "mailsite"
