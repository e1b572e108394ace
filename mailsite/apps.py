"""How is it put together and run?"""

from django.apps import AppConfig


class MailsiteConfig(AppConfig):
    name = "mailsite"

    def ready(self) -> None:
        import mailsite.celery  # noqa: F401  # the app that every shared_task publishes through
