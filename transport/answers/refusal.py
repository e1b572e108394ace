"""The reply of `reject` and `ereject` while the sender waits: RFC 5429 §2.5, RFC 5321 §4.2.1. Pure."""

CODE = "550"
STATUS = "5.7.1"
LINES_MAXIMUM = 20
WIDTH = 400  # octets: a reply line has 512 with its code
UNTELLABLE = "the recipient's mail filter refuses this message"


def refusal_reply(reason: str) -> str:
    """All lines of the reply, joined by CRLF. A reason that is not ASCII is replaced (RFC 5429 §2.1.1)."""
    text = reason if reason.isascii() else UNTELLABLE
    lines = [
        piece
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for piece in _pieces("".join(c if c.isprintable() else " " for c in line).rstrip())
    ]
    while lines and not lines[-1]:
        lines.pop()
    lines = lines[:LINES_MAXIMUM] or [UNTELLABLE]
    last = len(lines) - 1
    return "\r\n".join(
        f"{CODE}{' ' if number == last else '-'}{STATUS} {line}"
        for number, line in enumerate(lines)
    )


def _pieces(line: str) -> list[str]:
    return [line[start : start + WIDTH] for start in range(0, len(line), WIDTH)] or [""]
