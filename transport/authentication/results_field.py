"""The Authentication-Results field: ours written, forged ones of ours cut. RFC 8601; RFC 8617 §7.1 for ARC. Pure."""

import re

from accounts.addresses import AddressSyntaxError, canonical_domain
from accounts.mailstore.headers import header_end
from routing.evidence import ArcEvidence, Authentication, DkimEvidence, DmarcEvidence, SpfEvidence

VALUE_MAXIMUM = 320  # characters of one value: an address's
PREAMBLE_MAXIMUM = 4096  # octets in which an authserv-id is looked for

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+\Z")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+@[A-Za-z0-9.-]+\Z")

_FIELD = re.compile(rb"^authentication-results[ \t]*:", re.MULTILINE | re.IGNORECASE)
_NEXT_FIELD = re.compile(rb"^[!-9;-~]+[ \t]*:", re.MULTILINE)
_COMMENT_MARK = re.compile(rb"[()]|\\.", re.DOTALL)
_ID = re.compile(rb'"((?:[^"\\]|\\.)*+)"|([^\s;()"]++)', re.DOTALL)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


def results_field(
    authserv_id: str, authentication: Authentication, *, sender: str, client_address: str
) -> bytes:
    """The whole field with its line break. `sender` is the reverse-path without brackets, "" for the null one.

    Whatever strangers wrote stands in quotes or is left out: it ends no line, no value and no comment.
    """
    results = [_spf(authentication.spf, sender)]
    results += [_dkim(one) for one in authentication.dkim] or ["dkim=none"]
    results.append(_dmarc(authentication.dmarc))
    results.append(_arc(authentication.arc, client_address))
    lines = [f"Authentication-Results: {_value(authserv_id)}", *results]
    return (";\r\n\t".join(lines) + "\r\n").encode()


def without_forged(content: bytes, authserv_id: str) -> bytes:
    """The message without Authentication-Results fields that say they are ours (§5)."""
    end = header_end(content)
    first = _FIELD.search(content, 0, end)
    if first is None:
        return content
    own = authserv_id.lower().rstrip(".")
    kept = []
    position = 0
    for match in _FIELD.finditer(content, first.start(), end):
        following = _NEXT_FIELD.search(content, match.end(), end)
        stop = following.start() if following else _end_of_last_field(content, end)
        if _is_claimed(content[match.end() : stop], own):
            kept.append(content[position : match.start()])
            position = stop
    return b"".join((*kept, content[position:]))


def _end_of_last_field(content: bytes, end: int) -> int:
    """Before the empty line that ends the header, if there is one."""
    for mark in (b"\n\r\n", b"\n\n"):
        if content.endswith(mark, 0, end):
            return end - len(mark) + 1
    return end


def _is_claimed(value: bytes, own: str) -> bool:
    """Whether a field's authserv-id is ours; where none can be read, whether ours stands in it anywhere."""
    identity = _authserv_id(value[:PREAMBLE_MAXIMUM])
    if identity is None:
        return own.encode() in value.lower()
    try:
        return canonical_domain(identity) == own
    except AddressSyntaxError:
        return identity.lower() == own


def _authserv_id(value: bytes) -> str | None:
    """What stands after white space and comments, unquoted."""
    position, depth = 0, 0
    while position < len(value):
        if depth or value[position : position + 1] == b"(":
            mark = _COMMENT_MARK.search(value, position)
            if mark is None:
                return None
            depth += {b"(": 1, b")": -1}.get(mark[0], 0)
            position = mark.end()
        elif value[position : position + 1].isspace():
            position += 1
        else:
            break
    found = _ID.match(value, position)
    if found is None:
        return None
    text = _QUOTED_PAIR.sub(rb"\1", found[1]) if found[1] is not None else found[2]
    return text.decode("utf-8", "replace").strip()


def _spf(spf: SpfEvidence, sender: str) -> str:
    name = "smtp.helo" if spf.identity == "helo" else "smtp.mailfrom"
    return f"spf={spf.result}" + _property(name, spf.domain if spf.identity == "helo" else sender)


def _dkim(one: DkimEvidence) -> str:
    """§2.7.1; `header.b` tells signatures of one domain from each other (RFC 6008)."""
    test = " (test mode)" if one.is_testing else ""
    return (
        f"dkim={one.result}{test}{_reason(one.reason)}"
        + _property("header.d", one.domain)
        + _property("header.s", one.selector)
        + _property("header.a", one.algorithm)
        + _property("header.b", one.tag_b)
    )


def _dmarc(dmarc: DmarcEvidence) -> str:
    policy = _property("policy.dmarc", dmarc.policy) if dmarc.record_domain else ""
    return f"dmarc={dmarc.result}{_reason(dmarc.reason)}{_property('header.from', dmarc.domain)}{policy}"


def _arc(arc: ArcEvidence, client_address: str) -> str:
    if arc.result == "none":
        return "arc=none"
    sets = f" (i={arc.sets[0].instance})" if arc.sets else ""
    return f"arc={arc.result}{sets}{_reason(arc.reason)}" + _property(
        "smtp.remote-ip", client_address
    )


def _reason(text: str) -> str:
    return f" reason={_value(text, is_quoted=True)}" if text else ""


def _property(name: str, value: str) -> str:
    """On a line of its own, so that no line grows long."""
    return f"\r\n\t {name}={_value(value)}" if value else ""


def _value(text: str, *, is_quoted: bool = False) -> str:
    """As a token, a plain mailbox, or a quoted string on one line (§2.2)."""
    text = text[:VALUE_MAXIMUM]
    if not is_quoted and (_TOKEN.match(text) or _MAILBOX.match(text)):
        return text
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
