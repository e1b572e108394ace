"""The mail that an administrator names to a command: --spam and --ham, each a directory or an mbox, as often as there are."""

from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import CommandParser

from routing.spam_models.mail_files import mail_files, messages_of


def add_collection(parser: CommandParser) -> None:
    for name in ("spam", "ham"):
        parser.add_argument(
            f"--{name}",
            metavar="PATH",
            type=Path,
            action="append",
            default=[],
            help=f"a directory of messages, or an mbox file, that are {name}; may be given again",
        )


class MailCollection:
    """Its messages with whether they are spam, and how far the reading is. Raises Conflict where there is no mail."""

    def __init__(self, spam: list[Path], ham: list[Path]) -> None:
        self._files = [
            (file, is_spam)
            for paths, is_spam in ((spam, True), (ham, False))
            for path in paths
            for file in mail_files(path)
        ]
        self.octets = sum(file.stat().st_size for file, _ in self._files)
        self.octets_read = 0

    def __iter__(self) -> Iterator[tuple[bytes, bool]]:
        for file, is_spam in self._files:
            begun = self.octets_read
            for content in messages_of(file):
                self.octets_read += len(content)
                yield content, is_spam
            self.octets_read = begun + file.stat().st_size
