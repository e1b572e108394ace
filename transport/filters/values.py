"""What passes between the flow of mail and the filters of others. Frozen values."""

from dataclasses import dataclass
from typing import Literal

from routing.verdicts import Term

FilterName = Literal["spamassassin", "rspamd", "clamav"]
TITLES: dict[FilterName, str] = {
    "spamassassin": "SpamAssassin",
    "rspamd": "rspamd",
    "clamav": "ClamAV",
}


class FilterError(Exception):
    """A filter gave no answer that is one. The text says why, for people."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a filter is told beside the message. Paths have no brackets; "" is the null reverse-path."""

    client_address: str
    helo: str
    reverse_path: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FilterAnswers:
    """`virus` is the name of what was found, or ""; with one the message is refused (550 5.7.1).

    `is_scanned`: one was looked for; `is_unscanned`: what must be scanned could not be (451 4.7.1). `notes` say who did not
    answer.
    """

    terms: tuple[Term, ...] = ()
    virus: str = ""
    is_unscanned: bool = False
    notes: tuple[str, ...] = ()
    is_scanned: bool = False


@dataclass(frozen=True, slots=True)
class FilterSetup:
    """One filter as the administrator has set it. `has_answered`: it did at some time.

    `address` is `HOST:PORT`, or the path of a socket; so is `teach_address`, where it learns, if that is another.
    """

    name: FilterName
    is_on: bool
    address: str
    teach_address: str = ""
    password: str = ""
    is_strict: bool = False
    has_answered: bool = False


DEFAULTS: dict[FilterName, FilterSetup] = {
    "spamassassin": FilterSetup("spamassassin", True, "127.0.0.1:783"),
    "rspamd": FilterSetup("rspamd", False, "127.0.0.1:11333", "127.0.0.1:11334"),
    "clamav": FilterSetup("clamav", False, "/run/clamav/clamd.ctl"),
}
"""SpamAssassin is asked wherever it answers; the others are switched on."""
