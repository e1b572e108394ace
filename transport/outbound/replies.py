"""Replies and EHLO keywords of a server, out of bytes (RFC 5321 §4.2, §4.1.1.1). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

LINE_MAXIMUM = 4096  # octets; RFC 5321 §4.5.3.1.5 says 512, servers say more
LINES_MAXIMUM = 200


class ReplySyntaxError(Exception):
    """What the server sent is no SMTP reply."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. `lines` are without code and separator."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(line for line in self.lines if line)

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 400


def parse_line(line: bytes) -> tuple[int, bool, str]:
    """(code, whether it is the last line, text) of one line without its line end.

    Raises ReplySyntaxError. Octets that are not UTF-8 are shown as U+FFFD.
    """
    code, separator = line[:3], line[3:4]
    if len(code) != 3 or not code.isdigit() or not b"200" <= code <= b"599":
        raise ReplySyntaxError(f"not a reply: {line[:80].decode('ascii', 'replace')!r}")
    if separator not in (b"", b" ", b"-"):
        raise ReplySyntaxError(f"not a reply: {line[:80].decode('ascii', 'replace')!r}")
    return int(code), separator != b"-", line[4:].decode("utf-8", "replace").strip()


def join_lines(parsed: Sequence[tuple[int, bool, str]]) -> Reply:
    """The reply that these lines make; the last line's code counts (RFC 5321 §4.2.1)."""
    return Reply(parsed[-1][0], tuple(text for _, _, text in parsed))


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the server offers: EHLO keywords in upper case with their parameters.

    `size` is the SIZE limit in octets, or None when it states none.
    """

    keywords: dict[str, str]

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    @property
    def size(self) -> int | None:
        limit = self.keywords.get("SIZE", "")
        return int(limit) or None if limit.isascii() and limit.isdigit() else None

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """SASL mechanisms, upper case (RFC 4954 §3)."""
        return tuple(self.keywords.get("AUTH", "").upper().split())


def parse_extensions(reply: Reply) -> Extensions:
    """The keywords of an EHLO reply; its first line is the server's name."""
    keywords: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, _, parameters = line.partition(" ")
        if keyword.upper().startswith(
            "AUTH="
        ):  # an old form that some servers still send beside AUTH
            continue
        keywords[keyword.upper()] = parameters.strip()
    return Extensions(keywords)
