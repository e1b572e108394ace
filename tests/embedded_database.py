"""The PostgreSQL of a test run: started when a test first asks for it, gone when the run ends.

A migrated cluster is kept below the system's temporary folder, under a hash of the migrations; a run copies it and
starts the copy without fsync (fault tests start servers of their own, which sync). Under xdist the controller starts
the server and each worker clones the template database.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connections

from mailsite.configuration import ROOT
from mailsite.embedded import postgresql
from mailsite.embedded.postgresql import PostgreSQL, start_postgresql

FOLDER = Path(tempfile.gettempdir()) / f"mailsite-tests-{os.getuid()}"
SOCKETS_VARIABLE = "MAILSITE_TEST_SOCKETS"  # from the controller to its workers
TEMPLATE = postgresql.DATABASE
OUTDATED_SECONDS = 86_400  # a migrated cluster that another checkout may still use is kept
UNSAFE_AND_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "max_connections": "300",
}

_server: PostgreSQL | None = None


def start_server() -> Path:
    """Start the run's server unless it runs; returns its socket's folder."""
    global _server
    if SOCKETS_VARIABLE in os.environ:
        return Path(os.environ[SOCKETS_VARIABLE])
    template = _migrated_cluster()
    run = FOLDER / f"run-{os.getpid()}"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir()
    subprocess.run(["cp", "-a", "--reflink=auto", f"{template}/.", run], check=True)
    _server = start_postgresql(run, socket_folder=run / "s", options=UNSAFE_AND_FAST)
    os.environ[SOCKETS_VARIABLE] = str(_server.socket_folder)
    return _server.socket_folder


def stop_server() -> None:
    global _server
    if _server is None:
        return
    connections.close_all()
    _server.process.kill()
    _server.process.wait()
    _server.lock.close()
    del os.environ[SOCKETS_VARIABLE]
    shutil.rmtree(_server.socket_folder.parent)
    _server = None


def use_database(name: str) -> None:
    """Make a database of this name from the migrated one, and let Django and its subprocesses use it."""
    sockets = start_server()
    with psycopg.connect(
        host=str(sockets), dbname="postgres", user=postgresql.USER, autocommit=True
    ) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
    _point_django_to(sockets, name)


def _point_django_to(sockets: Path, name: str) -> None:
    connections.close_all()
    settings.DATABASES["default"].update(HOST=str(sockets), NAME=name, USER=postgresql.USER)
    host = str(sockets).replace("/", "%2F")
    os.environ["DATABASE_URL"] = f"postgres://{postgresql.USER}@{host}/{name}"


def _migrated_cluster() -> Path:
    FOLDER.mkdir(mode=0o711, exist_ok=True)
    if FOLDER.stat().st_uid != os.getuid():
        raise RuntimeError(f"{FOLDER} belongs to somebody else")
    _remove_what_killed_runs_left()
    cluster = FOLDER / f"cluster-{_migrations_hash()}"
    if cluster.exists():
        return cluster
    for other in FOLDER.glob("cluster-*"):
        if time.time() - other.stat().st_mtime > OUTDATED_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
    made = FOLDER / f"run-{os.getpid()}"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    server = start_postgresql(made, socket_folder=made / "s", options=UNSAFE_AND_FAST)
    _point_django_to(server.socket_folder, TEMPLATE)
    try:  # in a process of its own: pytest-django lets none of this one touch the database before a test
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True, cwd=ROOT
        )
    finally:
        server.stop()
    if not cluster.exists():
        made.rename(cluster)
    return cluster


def _remove_what_killed_runs_left() -> None:
    for run in FOLDER.glob("run-*"):
        if not Path("/proc", run.name.removeprefix("run-")).exists():
            shutil.rmtree(run, ignore_errors=True)


def _migrations_hash() -> str:
    digest = hashlib.sha256(str(postgresql.binaries()).encode())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.label):
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
