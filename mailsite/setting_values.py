"""Text of the environment → checked values. Each function raises Malformed with what it expected."""

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
import idna
import psycopg

from accounts.addresses import AddressSyntaxError, parse_address
from accounts.entries import UNLIMITED

DNS_PORT = 53
SMALLEST_MESSAGE_LIMIT = 65536  # octets; RFC 5321 §4.5.3.1.7
LARGEST_MESSAGE_LIMIT = 2**31 - 1  # octets; sizes in IMAP clients are often signed 32-bit integers
BROKER_SCHEMES = ("redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps")
DATABASE_SCHEMES = ("postgres", "postgresql", "pgsql")
_DURATION = re.compile(r"([0-9]{1,5})([mhd])")
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}
_DIGITS = re.compile(r"[0-9]{1,12}")
_HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Malformed(ValueError):
    """The text is no such value; the message completes the sentence "expected …"."""


def port(text: str) -> int:
    """A TCP or UDP port."""
    if _DIGITS.fullmatch(text) and 1 <= int(text) <= 65535:
        return int(text)
    raise Malformed("a port from 1 to 65535")


def message_size(text: str) -> int:
    """A limit in octets."""
    if _DIGITS.fullmatch(text) and SMALLEST_MESSAGE_LIMIT <= int(text) <= LARGEST_MESSAGE_LIMIT:
        return int(text)
    raise Malformed(f"a number of bytes from {SMALLEST_MESSAGE_LIMIT} to {LARGEST_MESSAGE_LIMIT}")


def sending_limit(text: str) -> int:
    """How much a user or an app may send."""
    if text.lower() == "unlimited":
        return UNLIMITED
    if _DIGITS.fullmatch(text) and 0 < int(text) < UNLIMITED:
        return int(text)
    raise Malformed('a number from 1 on, or "unlimited"')


def duration(text: str) -> timedelta:
    """A time such as 30m, 4h or 5d; from a minute to 30 days."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match:
        found = timedelta(minutes=int(match[1]) * _MINUTES[match[2]])
        if timedelta(minutes=1) <= found <= timedelta(days=30):
            return found
    raise Malformed("a time from 1m to 30d, such as 30m, 4h or 5d")


def durations(text: str) -> tuple[timedelta, ...]:
    """Times that do not fall, separated by commas."""
    found = tuple(duration(part) for part in _parts(text))
    if not found or list(found) != sorted(found):
        raise Malformed("times that do not fall, separated by commas, such as 5m,30m,2h")
    return found


def switch(text: str) -> bool:
    """`yes` or `no`."""
    if text.lower() not in ("yes", "no"):
        raise Malformed("yes or no")
    return text.lower() == "yes"


def hostname(text: str) -> str:
    """A host name in its ASCII form (RFC 5890)."""
    try:
        name = idna.encode(text.strip().rstrip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        raise Malformed("a host name such as mail.example.org") from None
    labels = name.split(".")
    if not all(_HOST_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise Malformed("a host name such as mail.example.org")
    return name


def mail_address(text: str) -> str:
    """A mail address whose local part is ASCII."""
    try:
        address = parse_address(text)
    except AddressSyntaxError:
        raise Malformed("a mail address such as reports@example.org") from None
    if not address.is_ascii:
        raise Malformed("a mail address whose local part is ASCII")
    return str(address)


def addresses(text: str) -> tuple[str, ...]:
    """IP addresses, separated by commas; an IPv6 one with or without brackets."""
    found = tuple(_address(part) for part in _parts(text))
    if not found or len(set(found)) != len(found):
        raise Malformed("IP addresses, separated by commas, each once, such as 0.0.0.0,::")
    return found


def nameservers(text: str) -> tuple[tuple[str, int], ...]:
    """`host` or `host:port` (`[v6]:port`), separated by commas; the host is an IP address."""
    return tuple(_nameserver(part) for part in _parts(text))


def database_url(url: str) -> dict[str, Any]:
    """Django's settings of a PostgreSQL database. The host may be a percent-encoded folder of a unix socket."""
    if urlsplit(url).scheme not in DATABASE_SCHEMES:
        raise Malformed("postgres://USER:PASSWORD@HOST:PORT/NAME")
    try:
        database: dict[str, Any] = environ.Env.db_url_config(url)
    except ValueError:
        raise Malformed("postgres://USER:PASSWORD@HOST:PORT/NAME") from None
    if not database.get("NAME"):
        raise Malformed("the name of a database after the host, as in postgres://HOST/NAME")
    host = urlsplit(url).netloc.rpartition("@")[2]
    if host.upper().startswith("%2F"):
        database["HOST"] = unquote(host.partition(":")[0])
    options = database.setdefault("OPTIONS", {})
    for name in ("USER", "PASSWORD", "HOST", "PORT"):
        database[name] = options.pop(name.lower(), database[name])
    try:
        psycopg.conninfo.make_conninfo(**options)
    except psycopg.ProgrammingError:
        raise Malformed("only libpq's parameters after the question mark") from None
    return database


def broker_url(url: str) -> str:
    """A URL that Celery takes."""
    if urlsplit(url).scheme not in BROKER_SCHEMES or "://" not in url:
        raise Malformed(f"a URL that begins with {', '.join(BROKER_SCHEMES)}, and ://")
    return url


def blob_storage_url(url: str) -> str:
    """`file:///folder` or `s3://bucket/prefix?options`."""
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return url
    if parts.scheme == "s3" and parts.netloc:
        return url
    raise Malformed("file:///folder or s3://bucket/prefix")


def existing_file(text: str) -> Path:
    """The path of a file that is there."""
    path = Path(text)
    if path.is_file():
        return path
    raise Malformed("the path of a file that exists")


def keys(text: str) -> tuple[str, ...]:
    """Keys separated by commas or white space; at least one."""
    found = tuple(text.replace(",", " ").split())
    if not found:
        raise Malformed("one key or several, separated by commas")
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _address(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise Malformed("IP addresses, separated by commas, such as 0.0.0.0,::") from None


def _nameserver(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        number = rest[1:] if rest.startswith(":") else ""
        is_sound = bool(bracket) and (not rest or bool(number))
    elif text.count(":") == 1:
        host, _, number = text.partition(":")
        is_sound = bool(number)
    else:
        host, number, is_sound = text, "", True
    try:
        if is_sound:
            return str(ipaddress.ip_address(host)), port(number) if number else DNS_PORT
    except ValueError:
        pass
    raise Malformed("IP addresses as host, host:port or [v6]:port, separated by commas")
