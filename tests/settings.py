"""Mailsite's settings for tests: nothing of the caller's environment, and a password hash that costs little.

The database's place is set by tests/conftest.py when a test first asks for it.
"""

import os
import tempfile

from mailsite.configuration import NAMES

for _name in NAMES:
    os.environ.pop(_name, None)

os.environ["ENV_FILE"] = ""
os.environ["SECRET_KEY"] = "only for tests"
os.environ["ENCRYPTION_KEY"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
os.environ["DATABASE_URL"] = "postgres:///unset"
os.environ["DATA_DIR"] = os.path.join(tempfile.gettempdir(), f"mailsite-tests-{os.getuid()}", "var")

from mailsite.settings import *  # noqa: F403, E402

PASSWORD_HASHERS = ["tests.hashers.CheapArgon2"]

# What tests start as a process of its own runs on the real settings.
os.environ["DJANGO_SETTINGS_MODULE"] = "mailsite.settings"
