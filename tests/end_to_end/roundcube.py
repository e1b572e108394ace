"""Roundcube as Debian packages it, behind PHP's own web server on loopback, with its data in a temporary folder."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROUNDCUBE = Path("/usr/share/roundcube")
DOCUMENTS = Path("/var/lib/roundcube/public_html")
START_SECONDS = 20
# Debian's packages, each with a file that shows it.
PACKAGES = {
    "chromium": Path("/usr/bin/chromium"),
    "php-cli": Path("/usr/bin/php"),
    "roundcube-core": ROUNDCUBE / "bin/update.sh",
    "roundcube-plugins": ROUNDCUBE / "plugins/managesieve/managesieve.php",
    "roundcube-sqlite3": Path("/usr/share/doc/roundcube-sqlite3"),
}
_CONFIGURATION = """<?php
$config['db_dsnw'] = 'sqlite:///{home}/roundcube.db';
$config['imap_host'] = 'ssl://127.0.0.1:{imap_port}';
$config['smtp_host'] = 'ssl://{smtp}';
$config['imap_conn_options'] = $config['smtp_conn_options'] =
    ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]];
$config['smtp_user'] = '%u';
$config['smtp_pass'] = '%p';
$config['des_key'] = 'twenty-four characters!!';
$config['temp_dir'] = $config['log_dir'] = '{home}';
$config['plugins'] = [];
$config['skin'] = 'elastic';
$config['imap_cache'] = 'db';
$config['messages_cache'] = 'db';
$config['create_default_folders'] = true;
$config['junk_mbox'] = 'Spam';
$config['archive_mbox'] = 'Archive';
$config['quota_zero_as_unlimited'] = true;
$config['message_sort_col'] = 'subject';
$config['search_mods'] = ['*' => ['text' => 1]];
$config['language'] = 'en_US';
"""
_SIEVE_CONFIGURATION = """
$config['plugins'] = ['managesieve'];
$config['managesieve_host'] = 'tls://127.0.0.1:{sieve_port}';
$config['managesieve_conn_options'] = ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]];
$config['managesieve_default'] = '';
$config['managesieve_vacation'] = 1;
$config['managesieve_vacation_addresses_init'] = true;
$config['managesieve_debug'] = true;
"""


def missing() -> str:
    """What is not installed, as a reason to skip."""
    packages = " ".join(package for package, file in PACKAGES.items() if not file.exists())
    return f"apt-get install {packages}" if packages else ""


@contextmanager
def roundcube(home: Path, imap_port: int, smtp: str, sieve_port: int = 0) -> Iterator[str]:
    """The address of a Roundcube for these servers; without a port of ManageSieve its plugin is off."""
    configuration = home / "config"
    configuration.mkdir()
    for name in ("defaults.inc.php", "mimetypes.php"):
        shutil.copy(Path("/etc/roundcube") / name, configuration / name)
    (configuration / "config.inc.php").write_text(
        _CONFIGURATION.format(home=home, imap_port=imap_port, smtp=smtp)
        + (_SIEVE_CONFIGURATION.format(sieve_port=sieve_port) if sieve_port else "")
    )
    with sqlite3.connect(home / "roundcube.db") as database:
        database.executescript((ROUNDCUBE / "SQL/sqlite.initial.sql").read_text())
    database.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (home / "php.log").open("wb") as log:
        process = subprocess.Popen(
            ["php", "-S", f"127.0.0.1:{port}", "-t", str(DOCUMENTS)],
            env=os.environ
            | {"ROUNDCUBE_CONFIG_DIR": str(configuration), "PHP_CLI_SERVER_WORKERS": "4"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # it has workers
        process.wait(10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "PHP's web server does not listen"
            time.sleep(0.05)  # nothing listens yet: there is no event to wait for
