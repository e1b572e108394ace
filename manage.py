#!/usr/bin/env python3
"""Mailsite's command line: `manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailsite.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if not str(error).startswith("connection"):
            raise
        reason = " ".join(str(error).split())
        sys.exit(f"mailsite: the database does not answer (is `serve` running?): {reason}")


if __name__ == "__main__":
    main()
