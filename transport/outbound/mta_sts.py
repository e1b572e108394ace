"""MTA-STS: a domain's record in DNS and its policy for those who send it mail (RFC 8461 §3). Pure."""

import re
from dataclasses import dataclass
from enum import Enum

MAX_AGE_MAXIMUM = 31_557_600  # seconds, RFC 8461 §3.2

# sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]
_RECORD_PREFIX = re.compile(r"v=STSv1[ \t]*;")
# sts-field-delim = *WSP ";" *WSP
_DELIMITER = re.compile(r"[ \t]*;[ \t]*")
# sts-id = %s"id" "=" 1*32(ALPHA / DIGIT)
_ID = re.compile(r"id=([A-Za-z0-9]{1,32})")
# sts-ext-name = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}"
_EXTENSION = re.compile(_NAME + r"=[^;=\x00-\x20\x7f]+")
# sts-policy-field = name ":" *WSP value; values of extensions may be UTF-8
_FIELD = re.compile(r"(" + _NAME + r"):[ \t]*([^\x00-\x1f\x7f]*?)[ \t]*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
# sts-policy-mx-value = ["*."] Domain
_PATTERN = re.compile(r"(?:\*\.)?" + _LABEL + r"(?:\." + _LABEL + r")*\.?")


class Mode(Enum):
    """What a sender does with a host that the policy does not permit, or that cannot be verified."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


class PolicyError(Exception):
    """The text is no policy; the message says why."""


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """`patterns` are names of hosts in lower case, or `*.` and a name; `max_age` is in seconds."""

    mode: Mode
    patterns: tuple[str, ...] = ()
    max_age: int = 0

    def permits(self, host: str) -> bool:
        """Whether a host may be the MX: `*` stands for exactly one label (RFC 8461 §4.1)."""
        host = host.rstrip(".").lower()
        wildcard = "*." + host.partition(".")[2]
        return host in self.patterns or wildcard in self.patterns


def parse_records(texts: tuple[bytes, ...]) -> str:
    """The id that `_mta-sts` names; "" when there is not exactly one valid record (RFC 8461 §3.1)."""
    records = [text.decode("utf-8", "replace") for text in texts]
    records = [text for text in records if _RECORD_PREFIX.match(text)]
    if len(records) != 1:
        return ""
    fields = _DELIMITER.split(records[0].strip(" \t"))[1:]
    if fields[-1] == "":
        fields.pop()
    if not all(_EXTENSION.fullmatch(field) for field in fields):
        return ""
    ids = [field for field in fields if field.startswith("id=")]
    found = _ID.fullmatch(ids[0]) if ids else None
    return found[1] if found else ""


def parse_policy(content: bytes) -> StsPolicy:
    """Read what HTTPS gave; of a field that stands twice the first counts (RFC 8461 §3.2). Raises PolicyError."""
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError:
        raise PolicyError("the policy is not UTF-8") from None
    fields: dict[str, str] = {}
    patterns = []
    for line in lines:
        line = line.removesuffix("\r")
        if not line.strip(" \t"):
            continue
        found = _FIELD.fullmatch(line)
        if found is None:
            raise PolicyError("a line of the policy is no field")
        name, value = found.groups()
        if name == "mx":
            patterns.append(_pattern(value))
        else:
            fields.setdefault(name, value)
    return _policy(fields, patterns)


def _policy(fields: dict[str, str], patterns: list[str]) -> StsPolicy:
    if fields.get("version") != "STSv1":
        raise PolicyError("the policy's version is not STSv1")
    try:
        mode = Mode(fields.get("mode", ""))
    except ValueError:
        raise PolicyError("the policy has no mode") from None
    max_age = fields.get("max_age", "")
    if not re.fullmatch(r"[0-9]{1,10}", max_age):
        raise PolicyError("the policy has no max_age")
    if not patterns and mode is not Mode.NONE:
        raise PolicyError("the policy names no mx")
    return StsPolicy(mode, tuple(patterns), min(int(max_age), MAX_AGE_MAXIMUM))


def _pattern(value: str) -> str:
    if not _PATTERN.fullmatch(value):
        raise PolicyError("an mx of the policy is no name")
    return value.rstrip(".").lower()
