"""The environment, read and checked once: a value that cannot work stops the start with one clear line."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ

ROOT = Path(__file__).resolve().parent.parent


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
    dns_nameservers: tuple[tuple[str, int], ...]
    outbound_smtp_port: int
    database: dict[str, Any]
    celery_broker_url: str
    secret_key: str
    encryption_keys: tuple[str, ...]
    blob_storage_url: str
    max_message_size: int


def read_configuration() -> Configuration:
    env = environ.Env()
    data_dir = Path(env.str("DATA_DIR", default=str(ROOT / "var"))).resolve()
    if os.environ.get("DATABASE_URL"):
        database = env.db("DATABASE_URL")
    else:
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": str(data_dir / "run"),
            "NAME": "mailsite",
            "USER": "mailsite",
        }
    return Configuration(
        mail_hostname=env.str("MAIL_HOSTNAME", default="localhost"),
        bind_addresses=tuple(env.list("BIND_ADDRESS", default=["127.0.0.1"])),
        data_dir=data_dir,
        smtp_port=env.int("SMTP_PORT", default=25),
        submission_port=env.int("SUBMISSION_PORT", default=587),
        submissions_port=env.int("SUBMISSIONS_PORT", default=465),
        imaps_port=env.int("IMAPS_PORT", default=993),
        sieve_port=env.int("SIEVE_PORT", default=4190),
        http_port=env.int("HTTP_PORT", default=8000),
        tls_cert_file=Path(env.str("TLS_CERT_FILE", default=str(data_dir / "tls/cert.pem"))),
        tls_key_file=Path(env.str("TLS_KEY_FILE", default=str(data_dir / "tls/key.pem"))),
        dns_nameservers=(),
        outbound_smtp_port=env.int("OUTBOUND_SMTP_PORT", default=25),
        database=database,
        celery_broker_url=env.str("CELERY_BROKER_URL", default=f"redis+socket://{data_dir}/run/valkey.sock"),
        secret_key=env.str("SECRET_KEY", default="insecure-until-the-start-command-makes-one"),
        encryption_keys=tuple(env.list("ENCRYPTION_KEY", default=[])),
        blob_storage_url=env.str("BLOB_STORAGE_URL", default=f"file://{data_dir}/blobs"),
        max_message_size=env.int("MAX_MESSAGE_SIZE", default=50 * 1024 * 1024),
    )
