"""Real spamd, rspamd and clamd, each in a directory of its own, on loopback, without a network."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

START_SECONDS = 60.0
# How the test file that scanners know is told apart from this file: in two parts.
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def needs(program: str) -> str:
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


@contextmanager
def running(command: list[str], address: str, directory: Path) -> Iterator[int]:
    """From the moment it listens at `address`; its process group is killed at the end. Gives its process."""
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        until = time.monotonic() + START_SECONDS
        while not _listens(address):
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(
                    f"{command[0]} does not start:\n{(directory / 'log').read_text()[-2000:]}"
                )
            time.sleep(0.05)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listens(address: str) -> bool:
    try:
        if address.startswith("/"):
            with socket.socket(socket.AF_UNIX) as one:
                one.connect(address)
        else:
            host, port = address.rsplit(":", 1)
            socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def spamd(directory: Path) -> Iterator[str]:
    """Its own configuration beside Debian's rules, so that Bayes judges after few lessons."""
    program, port = needs("spamd"), free_port()
    home, site = directory / "home", directory / "site"
    home.mkdir()
    site.mkdir()
    (site / "local.cf").write_text(
        f"use_bayes 1\nbayes_path {home}/bayes\nbayes_auto_learn 0\nbayes_min_spam_num 3\nbayes_min_ham_num 3\n"
        "bayes_file_mode 0777\nscore BAYES_99 3.5\nscore BAYES_999 0.2\nscore BAYES_00 -1.9\n"
    )
    for pre in Path("/etc/spamassassin").glob("*.pre"):
        (site / pre.name).write_bytes(pre.read_bytes())
    command = [program, "-L", "--allow-tell", "-x", "-i", "127.0.0.1", "-p", str(port), "-m", "2"]
    command += [
        "--siteconfigpath",
        str(site),
        "-H",
        str(home),
        "-s",
        "stderr",
        "-r",
        str(directory / "pid"),
    ]
    command += ["-u", "nobody"] if os.getuid() == 0 else []
    if os.getuid() == 0:
        for one in (directory, home):
            shutil.chown(one, "nobody")
        for parent in (directory, *directory.parents):
            if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
                parent.chmod(parent.stat().st_mode | 0o011)
    with running(command, f"127.0.0.1:{port}", directory):
        yield f"127.0.0.1:{port}"


@contextmanager
def clamd(directory: Path) -> Iterator[str]:
    """One signature of our own: the test file's."""
    program, path = needs("clamd"), directory / "clamd.sock"
    base = directory / "base"
    base.mkdir()
    (base / "own.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.encode().hex()}\n")
    (directory / "clamd.conf").write_text(
        f"LocalSocket {path}\nDatabaseDirectory {base}\nForeground yes\nStreamMaxLength 1M\n"
        f"TemporaryDirectory {directory}\nLogFile {directory}/clamd.log\n"
    )
    command = [program, "--config-file", str(directory / "clamd.conf")]
    with running(command, str(path), directory):
        yield str(path)


@contextmanager
def rspamd(directory: Path, password: str) -> Iterator[tuple[str, str]]:
    """The addresses of its worker and its controller."""
    program, worker, controller = needs("rspamd"), free_port(), free_port()
    redis_program, redis = needs("redis-server"), directory / "redis.sock"
    (directory / "tlds").write_text("example\ntest\n")  # to compile all that there are takes long
    (directory / "rspamd.conf").write_text(
        _RSPAMD.format(
            directory=directory,
            worker=worker,
            controller=controller,
            password=password,
            redis=redis,
        )
    )
    command = [
        redis_program,
        "--port",
        "0",
        "--unixsocket",
        str(redis),
        "--save",
        "",
        "--dir",
        str(directory),
    ]
    with running(command, str(redis), directory):
        command = [program, "-f", "-i", "-c", str(directory / "rspamd.conf")]
        with (
            running(command, f"127.0.0.1:{controller}", directory),
        ):
            yield f"127.0.0.1:{worker}", f"127.0.0.1:{controller}"


_RSPAMD = """
options {{
  pidfile = "{directory}/rspamd.pid";
  temp_dir = "{directory}";
  dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }}
  filters = ""; url_tld = "{directory}/tlds";
}}
logging {{ type = "console"; level = "warning"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{worker}"; count = 1; }}
worker "controller" {{
  bind_socket = "127.0.0.1:{controller}"; count = 1;
  password = "{password}"; enable_password = "{password}"; secure_ip = [];
}}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
metric {{
  name = "default";
  symbol {{ name = "GTUBE"; weight = 15; }}
  symbol {{ name = "BAYES_SPAM"; weight = 5; }}
  symbol {{ name = "BAYES_HAM"; weight = -3; }}
}}
classifier "bayes" {{
  tokenizer {{ name = "osb"; }}
  backend = "redis"; servers = "{redis}"; min_learns = 2; min_tokens = 5;
  statfile {{ symbol = "BAYES_HAM"; spam = false; }}
  statfile {{ symbol = "BAYES_SPAM"; spam = true; }}
}}
"""
