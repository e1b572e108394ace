"""What a message's header tells of it: how it is addressed, written and sent, and what was found of its sender.

Left out on purpose: what tells when and for whom mail was gathered and not what it is, as recipients' addresses, message
ids, the fields and subject tags of lists, the hosts that it passed (DNS lists know them better); and Return-Path and
X-Spam, which delivery adds.
"""

import re
from collections.abc import Iterator, Mapping

from accounts.mailstore.encoded_words import decode_words
from accounts.mailstore.header_fields import unfold
from routing.spam.words import organization, plain, size, words, words_and_pairs

FIELD_LIMIT = 2048
RECEIVED_LIMIT = 12

_NOTED = (
    b"subject",
    b"from",
    b"to",
    b"cc",
    b"reply-to",
    b"x-mailer",
    b"user-agent",
    b"in-reply-to",
    b"references",
    b"mime-version",
    b"date",
    b"message-id",
    b"x-priority",
    b"x-msmail-priority",
    b"organization",
    b"content-type",
    b"content-transfer-encoding",
    b"x-mimeole",
)
_ADDRESS = re.compile(r"([\w.+=-]{1,64})@([\w.-]{1,255})")
_TAG = re.compile(r"\[[^\[\]]{1,40}\]")
_GAP = re.compile(r"\s{4,}+\S+$")
_ZONE = re.compile(r"[+-](\d\d)(\d\d)\b")
_FROM = re.compile(r"\s*from\s+(\S+)\s*+(?:\(((?:[^()]|\([^()]*+\))*+)\))?")
_OCTETS = re.compile(r"(?<![\d.])(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}(?![\d.])")
_AT_HOME = re.compile(r"(?:127|10)\.|192\.168|172\.(?:1[6-9]|2\d|3[01])$|169\.254")
_WITH = re.compile(r"\bwith (e?smtps?a?|nnfmp|qmqp|http)\b")
_DIALLED = re.compile(r"dsl|dial|ppp|cable|dyn|pool|client|\d[.-]\d+[.-]\d")
_RESULT = re.compile(r"\b(spf|dkim|dmarc|arc|iprev)=([a-z]{2,10})")
_WHOSE = re.compile(r"(?:header\.d|header\.from|smtp\.mailfrom)=(?:[^@\s;]*@)?([\w.-]{1,255})")

Values = Mapping[bytes, list[bytes]]


def header_tokens(values: Values) -> Iterator[str]:
    """`values` are the fields by lower-case name."""
    yield from (f"{'has' if name in values else 'no'}:{name.decode()}" for name in _NOTED)
    yield from _results(_text(values, b"authentication-results").lower())
    author = _text(values, b"from")
    address = _ADDRESS.search(author)
    domain = organization(address[2]) if address else ""
    yield from _author(author, address, domain)
    yield from _recipients(values, domain)
    if (reply := _ADDRESS.search(_text(values, b"reply-to"))) and address:
        is_same = reply[0].lower() == address[0].lower()
        yield "reply:same" if is_same else "reply:other"
        yield f"reply:{organization(reply[2])}"
    yield from _subject(values)
    yield from _program(values)
    yield from _date(_text(values, b"date").strip())
    yield from _travel(values.get(b"received", []), domain)


def _text(values: Values, name: bytes) -> str:
    return decode_words(unfold(values[name][0][:FIELD_LIMIT])) if name in values else ""


def _results(text: str) -> Iterator[str]:
    """Of the topmost Authentication-Results alone: it is ours (RFC 8601 §4.1), or nearest to us."""
    for part in text.split(";"):
        if result := _RESULT.search(part):
            yield f"auth:{result[0]}"
            if result[2] == "pass" and (whose := _WHOSE.search(part, result.end())):
                yield f"auth:{result[1]} {organization(whose[1])}"


def _author(text: str, address: re.Match[str] | None, domain: str) -> Iterator[str]:
    if address is None:
        yield "from:none"
        return
    local_part = plain(address[1])
    yield f"from:{local_part[:30]}@"
    yield f"from:{domain}"
    yield f"from:.{domain.rpartition('.')[2]}"
    if digits := sum(map(str.isdigit, local_part)):
        yield f"from:digits {size(digits)}"
    name = text[: address.start()].strip(' "<')
    yield "from:named" if name else "from:bare"
    yield from words("name:", name)


def _recipients(values: Values, author_domain: str) -> Iterator[str]:
    to = _text(values, b"to")
    addresses = _ADDRESS.findall(f"{to},{_text(values, b'cc')}")
    yield f"to:{size(len(addresses))}"
    if author_domain in {organization(host) for _, host in addresses[:20]}:
        yield "to:own"
    if "undisclosed" in to.lower():
        yield "to:undisclosed"
    if to:
        yield "to:named" if re.match(r'[\s"]*\w[^<@]{0,80}<', to) else "to:bare"


def _subject(values: Values) -> Iterator[str]:
    subject = _TAG.sub("", _text(values, b"subject")).strip()
    found, capitals = words_and_pairs("subject:", subject)
    yield from found
    if capitals > 50:
        yield "subject:/capitals"
    if _GAP.search(subject):
        yield "subject:/gap"
    if not subject.isascii():
        yield "subject:/8bit"
    if not subject:
        yield "subject:/empty"
    yield from (f"subject:/{sign}" for sign in "!?$" if sign in subject)
    if subject[:3].lower() == "re:":
        yield (
            "subject:/answer" if values.keys() & {b"in-reply-to", b"references"} else "subject:/re"
        )


def _program(values: Values) -> Iterator[str]:
    yield from words("mailer:", _text(values, b"x-mailer") or _text(values, b"user-agent"))
    for name in (b"x-priority", b"x-msmail-priority", b"importance"):
        if name in values:
            yield f"{name.decode()}:{_text(values, name).strip().lower()[:12]}"


def _date(date: str) -> Iterator[str]:
    """Not when, but how it is written."""
    if zone := _ZONE.search(date):
        yield (
            "date:zone" if int(zone[1]) <= 14 and zone[2] in ("00", "30", "45") else "date:no zone"
        )
    elif date:
        yield "date:GMT" if "GMT" in date else "date:without zone"


def _travel(fields: list[bytes], author_domain: str) -> Iterator[str]:
    """The host that sent it to the first of ours: the topmost Received that names a public address."""
    facts = [
        unfold(value[:FIELD_LIMIT]).decode("latin-1").lower() for value in fields[:RECEIVED_LIMIT]
    ]
    yield f"received:{size(len(facts))}"
    if any("unknown" in fact for fact in facts):
        yield "received:unknown"
    yield from (f"received:{how[1]}" for fact in facts if (how := _WITH.search(fact)))
    for fact in facts:
        match = _FROM.match(fact)
        if match is None:
            continue
        helo, comment = match[1], match[2] or ""
        octets = _OCTETS.search(comment) or _OCTETS.search(helo)
        if octets and not _AT_HOME.match(f"{octets[1]}.{octets[2]}"):
            yield from _client(helo, comment, author_domain)
            return


def _client(helo: str, comment: str, author_domain: str) -> Iterator[str]:
    if helo[:1] == "[" or helo[:1].isdigit():
        yield "client:helo address"
    elif "." not in helo:
        yield "client:helo bare"
    if author_domain and organization(helo) == author_domain:
        yield "client:helo author"
    if "forged" in comment:
        yield "client:forged"
    name = comment.partition(" ")[0]
    if "." in name and not name.startswith("["):
        yield f"client:.{name.rpartition('.')[2]}"
        if _DIALLED.search(name):
            yield "client:dialled"
    else:
        yield "client:nameless"
