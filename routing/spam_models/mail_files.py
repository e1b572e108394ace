"""Mail in files: directories of messages (Maildirs too) and mbox files (RFC 4155), for an administrator to teach from."""

import re
from collections.abc import Iterator
from pathlib import Path

from accounts.namespace import Conflict

MESSAGE_LIMIT = 64 * 1024 * 1024
"""What is longer is passed over."""

# "From " addr-spec " " asctime: without the date it may be a line of the text.
_DELIMITER = re.compile(
    rb"From \S.{0,300}[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d.{0,40}\d{4}.{0,10}\r?\n\Z"
)
_MANGLED = re.compile(rb">+From ")


def mail_files(path: Path) -> list[Path]:
    """The file, or all below the directory but hidden ones, in order. Raises Conflict."""
    if path.is_dir():
        found = sorted(
            each
            for each in path.rglob("*")
            if each.is_file()
            and not any(part.startswith(".") for part in each.relative_to(path).parts)
        )
    else:
        found = [path] if path.is_file() else []
    if not found:
        raise Conflict(f"There is no mail in {path}.")
    return found


def messages_of(path: Path) -> Iterator[bytes]:
    """One message, or all of an mbox; lines end with CRLF, as in mail, so that the same message has the same hash."""
    lines: list[bytes] = []
    length = 0
    is_first, was_empty, is_mbox = True, False, False
    with path.open("rb") as file:
        for line in file:
            if is_first or (is_mbox and was_empty and _DELIMITER.match(line)):
                is_first = False
                if line.startswith(b"From "):
                    if lines and length <= MESSAGE_LIMIT:
                        yield b"".join(lines)
                    lines, length, is_mbox = [], 0, True
                    continue
            was_empty = line in (b"\n", b"\r\n")
            length += len(line)
            if length <= MESSAGE_LIMIT:
                lines.append(_line(line, is_mbox=is_mbox))
    if lines and length <= MESSAGE_LIMIT:
        yield b"".join(lines)


def _line(line: bytes, *, is_mbox: bool) -> bytes:
    if is_mbox and _MANGLED.match(line):
        line = line[1:]
    return line[:-1] + b"\r\n" if line[-1:] == b"\n" and line[-2:] != b"\r\n" else line
