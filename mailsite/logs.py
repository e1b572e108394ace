"""Logging: one line an event, on standard error, for whoever supervises us to keep."""

import logging
from typing import Any

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "mailsite.logs.OneLine"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "mail.log": {"level": "WARNING"},  # aiosmtpd tells of every command
        "aiosmtpd": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},  # "Task received" for each wake-up
        "celery.app.trace": {"level": "WARNING"},  # "Task succeeded"
        "celery.beat": {"level": "WARNING"},  # "Sending due task"
    },
}


class OneLine(logging.Formatter):
    """`2026-01-02T03:04:05+0000 WARNING transport.smtp[123] text`; control characters cannot forge a line."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s[%(process)d] %(message)s", "%Y-%m-%dT%H:%M:%S%z"
        )

    def formatMessage(self, record: logging.LogRecord) -> str:
        return "".join(
            c if c.isprintable() else f"\\x{ord(c):02x}" for c in super().formatMessage(record)
        )
