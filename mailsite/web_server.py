"""Gunicorn's configuration for the admin: `gunicorn -c python:mailsite.web_server mailsite.wsgi`."""

import os
from typing import Any

from transport.processes import die_with_parent

worker_class = "gthread"
workers = 1
threads = 8
preload_app = True
timeout = 60
graceful_timeout = 5
control_socket_disable = True
loglevel = "warning"


def post_fork(server: Any, worker: Any) -> None:
    """A worker ends with its master, even one that is killed."""
    die_with_parent(os.getppid())
