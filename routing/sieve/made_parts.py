"""MIME parts that a script makes: of a text, or of an entity that it holds itself (RFC 5703 §5, §6)."""

import binascii

LINE_MAXIMUM = 998  # octets (RFC 5322 §2.1.1)
COPIES_A_LOOK = 8  # octets that are copied for the cost of one that is compared


def text_entity(text: str) -> bytes:
    """Header, empty line and body of a text/plain part in UTF-8, each line ending in CRLF."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if not lines.endswith("\n"):
        lines += "\n"
    body = lines.encode("utf-8", "replace")
    encoding = b"7bit"
    is_plain = body.isascii() and max(map(len, body.split(b"\n"))) <= LINE_MAXIMUM
    if not is_plain or b"\n--" in b"\n" + body:  # what could be a boundary
        encoding = b"quoted-printable"
        body = (b"\n" + binascii.b2a_qp(body, istext=True)).replace(b"\n-", b"\n=2D")[1:]
    return (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body.replace(b"\n", b"\r\n")
    )


def own_entity(text: str) -> bytes:
    """An entity that a script writes whole; one without a header gets an empty one."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    content = lines.encode("utf-8", "replace").replace(b"\n", b"\r\n")
    return content if b"\r\n\r\n" in content or content.startswith(b"\r\n") else b"\r\n" + content


def is_about_content(name: str) -> bool:
    """Whether a field of a message's header is about its body."""
    return name.lower().startswith("content-") or name.lower() == "mime-version"
