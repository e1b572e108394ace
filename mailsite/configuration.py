"""The environment, read and checked once: what cannot work stops the start with one clear line.

Precedence: the environment, then `.env`. A secret may stand in a file that NAME_FILE names. SECRET_KEY and
ENCRYPTION_KEY, when nobody sets them, are made by the first `manage.py serve` and kept below DATA_DIR/secrets.
"""

import base64
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import environ

from mailsite import setting_values as values

ROOT = Path(__file__).resolve().parent.parent
SECRETS = ("SECRET_KEY", "ENCRYPTION_KEY", "DATABASE_URL", "CELERY_BROKER_URL")
PORTS = {
    "SMTP_PORT": 25,
    "SUBMISSION_PORT": 587,
    "SUBMISSIONS_PORT": 465,
    "IMAPS_PORT": 993,
    "SIEVE_PORT": 4190,
    "HTTP_PORT": 8000,
}
SENDING_LIMITS = {
    "SEND_MESSAGES_AN_HOUR": 200,
    "SEND_RECIPIENTS_AN_HOUR": 500,
    "SEND_MESSAGES_A_DAY": 1000,
    "SEND_RECIPIENTS_A_DAY": 2000,
}
NAMES = {
    *PORTS,
    *SECRETS,
    *(f"{name}_FILE" for name in SECRETS),
    "MAIL_HOSTNAME",
    "BIND_ADDRESS",
    "DATA_DIR",
    "TLS_CERT_FILE",
    "TLS_KEY_FILE",
    "DNS_NAMESERVERS",
    "DNS_VALIDATES",
    "OUTBOUND_SMTP_PORT",
    "BLOB_STORAGE_URL",
    "MAX_MESSAGE_SIZE",
    "DMARC_REPORTS_FROM",
    *SENDING_LIMITS,
    "RETRY_DELAYS",
    "RETRY_LIFETIME",
    "DELAY_NOTICE_AFTER",
}
DEFAULT_RETRY_DELAYS = "5m,15m,30m,1h,2h,4h"
DEFAULT_MESSAGE_LIMIT = 50 * 1024 * 1024  # octets
_ENV_LINE = re.compile(r"\s*(export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=.*")
T = TypeVar("T")


class ConfigurationError(Exception):
    """The one clear line for the operator."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the operator set, checked. Sizes in bytes; ports as numbers."""

    mail_hostname: str
    bind_addresses: tuple[str, ...]
    data_dir: Path
    smtp_port: int
    submission_port: int
    submissions_port: int
    imaps_port: int
    sieve_port: int
    http_port: int
    tls_cert_file: Path
    tls_key_file: Path
    has_own_certificate: (
        bool  # TLS_CERT_FILE and TLS_KEY_FILE are set; else `serve` makes a self-signed one
    )
    dns_nameservers: tuple[tuple[str, int], ...]
    dns_validates: bool
    outbound_smtp_port: int
    database: dict[str, Any]
    embeds_database: bool
    celery_broker_url: str
    embeds_broker: bool
    secret_key: str
    encryption_keys: tuple[str, ...]
    blob_storage_url: str
    max_message_size: int
    dmarc_reports_from: str
    sending_limits: tuple[int, ...]  # in the order of SENDING_LIMITS
    retry_delays: tuple[timedelta, ...]
    retry_lifetime: timedelta
    delay_notice_after: timedelta


def read_configuration(*, may_make_secrets: bool = False) -> Configuration:
    """Read everything. Raises ConfigurationError."""
    _read_env_file(Path(os.environ.get("ENV_FILE", ROOT / ".env")))
    _refuse_misspelt_names()
    data_dir = Path(os.environ.get("DATA_DIR") or ROOT / "var").resolve()
    ports = {name: _value(name, values.port, default) for name, default in PORTS.items()}
    _refuse_shared_ports(ports)
    database = _value("DATABASE_URL", values.database_url, None)
    broker = _value("CELERY_BROKER_URL", values.broker_url, None)
    certificate = _value("TLS_CERT_FILE", values.existing_file, None)
    key = _value("TLS_KEY_FILE", values.existing_file, None)
    if (certificate is None) != (key is None):
        raise ConfigurationError("set both TLS_CERT_FILE and TLS_KEY_FILE, or neither")
    return Configuration(
        mail_hostname=_value("MAIL_HOSTNAME", values.hostname, "localhost"),
        bind_addresses=_value("BIND_ADDRESS", values.addresses, ("127.0.0.1",)),
        data_dir=data_dir,
        smtp_port=ports["SMTP_PORT"],
        submission_port=ports["SUBMISSION_PORT"],
        submissions_port=ports["SUBMISSIONS_PORT"],
        imaps_port=ports["IMAPS_PORT"],
        sieve_port=ports["SIEVE_PORT"],
        http_port=ports["HTTP_PORT"],
        tls_cert_file=certificate or data_dir / "tls" / "cert.pem",
        tls_key_file=key or data_dir / "tls" / "key.pem",
        has_own_certificate=certificate is not None,
        dns_nameservers=_value("DNS_NAMESERVERS", values.nameservers, ()),
        dns_validates=_value("DNS_VALIDATES", values.switch, False),
        outbound_smtp_port=_value("OUTBOUND_SMTP_PORT", values.port, 25),
        database=database or _embedded_database(data_dir),
        embeds_database=database is None,
        celery_broker_url=broker or f"redis+socket://{data_dir}/run/valkey.sock",
        embeds_broker=broker is None,
        secret_key=_made_secret("SECRET_KEY", data_dir, may_make_secrets),
        encryption_keys=values.keys(_made_secret("ENCRYPTION_KEY", data_dir, may_make_secrets)),
        blob_storage_url=_value(
            "BLOB_STORAGE_URL", values.blob_storage_url, f"file://{data_dir}/blobs"
        ),
        max_message_size=_value("MAX_MESSAGE_SIZE", values.message_size, DEFAULT_MESSAGE_LIMIT),
        dmarc_reports_from=_value("DMARC_REPORTS_FROM", values.mail_address, ""),
        sending_limits=tuple(
            _value(name, values.sending_limit, default) for name, default in SENDING_LIMITS.items()
        ),
        retry_delays=_value(
            "RETRY_DELAYS", values.durations, values.durations(DEFAULT_RETRY_DELAYS)
        ),
        retry_lifetime=_value("RETRY_LIFETIME", values.duration, timedelta(days=5)),
        delay_notice_after=_value("DELAY_NOTICE_AFTER", values.duration, timedelta(hours=4)),
    )


def _read_env_file(path: Path) -> None:
    if not path.is_file():
        return
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#") and not _ENV_LINE.fullmatch(line):
            raise ConfigurationError(f"{path} line {number} is not NAME=value")
    environ.Env.read_env(path)


def _refuse_misspelt_names() -> None:
    """A name that is one slip away from ours would be ignored in silence: say so instead."""
    for name in sorted(os.environ.keys() - NAMES):
        if not name.isascii() or not name.isupper():
            continue
        for known in sorted(NAMES):
            if is_one_slip(name, known):
                raise ConfigurationError(f"{name} is not a setting; is {known} meant?")


def is_one_slip(text: str, meant: str) -> bool:
    """Whether one letter too many, too few, wrong, or swapped with its neighbour makes one of the other."""
    if abs(len(text) - len(meant)) > 1 or text == meant:
        return False
    pairs = zip(text, meant, strict=False)
    start = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(text), len(meant)))
    a, b = text[start:], meant[start:]
    is_swapped = a[1::-1] == b[:2] and a[2:] == b[2:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or is_swapped


def _refuse_shared_ports(ports: dict[str, int]) -> None:
    taken: dict[int, str] = {}
    for name, port in ports.items():
        if port in taken:
            raise ConfigurationError(f"{taken[port]} and {name} are both {port}")
        taken[port] = name


def _value(name: str, parse: Callable[[str], T], default: T) -> T:
    """The checked value; unset and empty alike stand for the default."""
    text = _text(name)
    if not text:
        return default
    try:
        return parse(text)
    except (values.Malformed, OSError) as error:
        shown = "" if name in SECRETS else f" is {text!r}:"
        raise ConfigurationError(f"{name}{shown} expected {error}") from None


def _text(name: str) -> str:
    text = os.environ.get(name, "").strip()
    file_name = os.environ.get(f"{name}_FILE", "") if name in SECRETS else ""
    if not file_name:
        return text
    if text:
        raise ConfigurationError(f"set {name} or {name}_FILE, not both")
    try:
        return Path(file_name).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name}_FILE cannot be read: {error}") from error


def _made_secret(name: str, data_dir: Path, may_make: bool) -> str:
    """What is set, else what an earlier `serve` made, else, for `serve`, a new one."""
    text = _text(name)
    if text:
        return text
    path = data_dir / "secrets" / name.lower()
    try:
        if may_make and not path.exists():
            _make_secret(path)
        kept = path.read_text("ascii").strip()
    except FileNotFoundError:
        raise ConfigurationError(
            f"{name} is not set, and {path}, which `manage.py serve` makes, does not exist"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{name} is not set, and {path} cannot be used: {error.strerror}"
        ) from error
    if not kept:
        raise ConfigurationError(f"{path} is empty; restore it from a backup")
    return kept


def _make_secret(path: Path) -> None:
    """Write 256 random bits, whole or not at all, readable by its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(32)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(made, path)  # the first of two starts wins
    except FileExistsError:
        pass
    finally:
        made.unlink()


def _embedded_database(data_dir: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": str(data_dir / "run"),
        "PORT": "",
        "NAME": "mailsite",
        "USER": "mailsite",
        "PASSWORD": "",
    }
