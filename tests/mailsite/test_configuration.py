"""Every setting: what is taken, and the one line that refuses what is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailsite.configuration import (
    NAMES,
    ROOT,
    ConfigurationError,
    is_one_slip,
    read_configuration,
)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("SECRET_KEY", "s")
    monkeypatch.setenv("ENCRYPTION_KEY", "e")
    return monkeypatch


def test_defaults(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = read_configuration()
    ports = (found.smtp_port, found.submission_port, found.submissions_port, found.imaps_port)
    assert ports == (25, 587, 465, 993)
    assert (found.sieve_port, found.outbound_smtp_port) == (4190, 25)
    assert found.bind_addresses == ("127.0.0.1",)
    assert found.embeds_database
    assert found.embeds_broker
    assert found.database["HOST"] == str(tmp_path / "var" / "run")
    assert found.blob_storage_url == f"file://{tmp_path}/var/blobs"
    assert not found.has_own_certificate


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("BIND_ADDRESS", "0.0.0.0, [::]", "bind_addresses", ("0.0.0.0", "::")),
        (
            "DNS_NAMESERVERS",
            "9.9.9.9,127.0.0.1:5300,2620:fe::9,[::1]:54",
            "dns_nameservers",
            (("9.9.9.9", 53), ("127.0.0.1", 5300), ("2620:fe::9", 53), ("::1", 54)),
        ),
        ("DNS_VALIDATES", "Yes", "dns_validates", True),
        ("MAIL_HOSTNAME", "Mail.Bücher.example.", "mail_hostname", "mail.xn--bcher-kva.example"),
        ("ENCRYPTION_KEY", "new, old", "encryption_keys", ("new", "old")),
        (
            "BLOB_STORAGE_URL",
            "s3://bucket/x?region=r",
            "blob_storage_url",
            "s3://bucket/x?region=r",
        ),
        ("CELERY_BROKER_URL", "redis://h/1", "celery_broker_url", "redis://h/1"),
        ("MAX_MESSAGE_SIZE", "70000", "max_message_size", 70000),
        ("DMARC_REPORTS_FROM", "Dmarc@Example.ORG", "dmarc_reports_from", "Dmarc@example.org"),
        ("DMARC_REPORTS_FROM", "", "dmarc_reports_from", ""),
        ("SMTP_PORT", "", "smtp_port", 25),
        ("SEND_MESSAGES_AN_HOUR", "7", "sending_limits", (7, 500, 1000, 2000)),
        ("SEND_RECIPIENTS_A_DAY", "Unlimited", "sending_limits", (200, 500, 1000, 2**31 - 1)),
        ("SEND_MESSAGES_A_DAY", "", "sending_limits", (200, 500, 1000, 2000)),
    ],
)
def test_taken(
    environment: pytest.MonkeyPatch, name: str, text: str, field: str, value: object
) -> None:
    environment.setenv(name, text)
    assert getattr(read_configuration(), field) == value


@pytest.mark.parametrize(
    ("url", "host", "port", "name", "user"),
    [
        ("postgres://u:p%40@db.example:5433/mail", "db.example", 5433, "mail", "u"),
        ("postgresql://u@[::1]/mail?sslmode=require", "::1", "", "mail", "u"),
        ("postgres://u@%2Fvar%2FRun/mail", "/var/Run", "", "mail", "u"),
        ("postgres:////tmp/run/mail?user=u", "/tmp/run", "", "mail", "u"),
    ],
)
def test_database_url(
    environment: pytest.MonkeyPatch, url: str, host: str, port: object, name: str, user: str
) -> None:
    environment.setenv("DATABASE_URL", url)
    found = read_configuration().database
    assert (found["HOST"], found["PORT"], found["NAME"], found["USER"]) == (host, port, name, user)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("SMTP_PORT", "smtp", "SMTP_PORT is 'smtp': expected a port from 1 to 65535"),
        ("SMTP_PORT", "65536", "SMTP_PORT is '65536': expected a port"),
        ("SMTP_PORT", "993", "SMTP_PORT and IMAPS_PORT are both 993"),
        ("SMPT_PORT", "25", "SMPT_PORT is not a setting; is SMTP_PORT meant?"),
        ("DATABASE_URLS", "x", "DATABASE_URLS is not a setting; is DATABASE_URL meant?"),
        ("BIND_ADDRESS", "localhost", "expected IP addresses"),
        ("BIND_ADDRESS", "::1,[::1]", "each once"),
        (
            "DNS_NAMESERVERS",
            "dns.example",
            "DNS_NAMESERVERS is 'dns.example': expected IP addresses",
        ),
        ("DNS_NAMESERVERS", "1.1.1.1:", "expected IP addresses"),
        ("DNS_VALIDATES", "perhaps", "expected yes or no"),
        ("DNS_NAMESERVERS", "[::1", "expected IP addresses"),
        ("DATABASE_URL", "mysql://h/d", "DATABASE_URL expected postgres://"),
        ("DATABASE_URL", "postgres://h:port/d", "DATABASE_URL expected postgres://"),
        ("DATABASE_URL", "postgres://h/", "the name of a database"),
        ("DATABASE_URL", "postgres://h/d?nonsense=1", "libpq's parameters"),
        ("CELERY_BROKER_URL", "valkey", "CELERY_BROKER_URL expected a URL"),
        ("BLOB_STORAGE_URL", "ftp://x/y", "file:///folder or s3://bucket/prefix"),
        ("BLOB_STORAGE_URL", "file://blobs", "file:///folder or s3://bucket/prefix"),
        ("MAX_MESSAGE_SIZE", "50M", "a number of bytes"),
        ("DMARC_REPORTS_FROM", "nobody", "a mail address"),
        ("SEND_MESSAGES_A_DAY", "0", 'expected a number from 1 on, or "unlimited"'),
        ("SEND_MESSAGES_A_DAY", "many", 'expected a number from 1 on, or "unlimited"'),
        ("SEND_MESSAGE_A_DAY", "5", "is SEND_MESSAGES_A_DAY meant?"),
        ("MAIL_HOSTNAME", "a_b.example", "a host name"),
        ("MAIL_HOSTNAME", "192.0.2.1", "a host name"),
        ("TLS_CERT_FILE", "/nonexistent", "the path of a file that exists"),
        ("TLS_CERT_FILE", __file__, "set both TLS_CERT_FILE and TLS_KEY_FILE"),
        ("SECRET_KEY_FILE", __file__, "set SECRET_KEY or SECRET_KEY_FILE, not both"),
        ("DATABASE_URL_FILE", "/nonexistent", "DATABASE_URL_FILE cannot be read"),
        ("SECRET_KEY", "", "SECRET_KEY is not set, and"),
        ("ENCRYPTION_KEY", "", "ENCRYPTION_KEY is not set, and"),
    ],
)
def test_refused(environment: pytest.MonkeyPatch, name: str, text: str, line: str) -> None:
    environment.setenv(name, text)
    with pytest.raises(ConfigurationError) as raised:
        read_configuration()
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_refused_secret_is_not_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DATABASE_URL", "mysql://user:hunter2@h/d")
    with pytest.raises(ConfigurationError) as raised:
        read_configuration()
    assert "hunter2" not in str(raised.value)


def test_env_file_fills_in_what_the_environment_does_not_say(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("# ports\nSMTP_PORT=2600\nexport IMAPS_PORT=2601\n")
    environment.setenv("IMAPS_PORT", "2602")
    found = read_configuration()
    os.environ.pop("SMTP_PORT")  # read_env put it there
    assert (found.smtp_port, found.imaps_port) == (2600, 2602)


def test_env_file_with_a_broken_line(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SMTP_PORT=2600\nIMAPS_PORT 2601\n")
    with pytest.raises(ConfigurationError, match=r"\.env line 2 is not NAME=value"):
        read_configuration()


def test_a_secret_in_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.delenv("ENCRYPTION_KEY")
    (tmp_path / "keys").write_text("new\nold\n")
    environment.setenv("ENCRYPTION_KEY_FILE", str(tmp_path / "keys"))
    assert read_configuration().encryption_keys == ("new", "old")


def test_serve_makes_secrets_that_others_then_read(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.delenv("SECRET_KEY")
    environment.delenv("ENCRYPTION_KEY")
    made = read_configuration(may_make_secrets=True)
    folder = tmp_path / "var" / "secrets"
    assert {path.name for path in folder.iterdir()} == {"secret_key", "encryption_key"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    again = read_configuration()
    assert (again.secret_key, again.encryption_keys) == (made.secret_key, made.encryption_keys)
    assert len(made.secret_key) >= 40


@pytest.mark.parametrize(
    ("text", "is_slip"),
    [
        ("SMPT_PORT", True),
        ("SMTP_PORTS", True),
        ("SMTPPORT", True),
        ("SMTX_PORT", True),
        ("SMTP_PORT", False),
        ("SMTP_HOST", False),
        ("PORT", False),
        ("PATH", False),
    ],
)
def test_one_slip(text: str, is_slip: bool) -> None:
    assert is_one_slip(text, "SMTP_PORT") is is_slip


def test_a_command_ends_with_the_line_and_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": "", "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("mailsite: SECRET_KEY is not set")
    assert done.stderr.count("\n") == 1
