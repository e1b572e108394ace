"""What a script asks for. Frozen values that somebody else carries out; an extension may bring others of its own.

`cancels_keep` says whether the action cancels the implicit keep (RFC 5228 §2.10.2). `conflict` names why an action
cannot stand beside those before it (§2.10.4), or is "".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Action:
    """The base of all. `line` is where the script asked for it; it takes no part in comparison."""

    line: int = field(default=0, compare=False, kw_only=True)

    @property
    def cancels_keep(self) -> bool:
        return True

    def conflict(self, others: Sequence["Action"]) -> str:
        if any(isinstance(other, Reject) for other in others):
            return "a message that is rejected cannot also be filed, sent on or answered"
        return ""


@dataclass(frozen=True, slots=True)
class Keep(Action):
    """File into the inbox (§4.3). `flags` are IMAP's names (RFC 5232); `implicit`: no command asked for it.

    `has_flags`: the script has chosen them, if only none.
    """

    flags: tuple[str, ...] = ()
    has_flags: bool = field(default=False, compare=False, kw_only=True)
    implicit: bool = False


@dataclass(frozen=True, slots=True)
class FileInto(Action):
    """File into the folder of this name (§4.1), UTF-8, levels divided by "/".

    `copy`: RFC 3894. `create` it when it is missing (RFC 5490 §3.2). `mailbox_id` wins over `folder` where such a
    folder exists (RFC 9042), and so does `special_use`, as `\\\\Junk` (RFC 8579).
    """

    folder: str
    flags: tuple[str, ...] = ()
    has_flags: bool = field(default=False, compare=False, kw_only=True)
    copy: bool = False
    create: bool = False
    mailbox_id: str = ""
    special_use: str = ""

    @property
    def cancels_keep(self) -> bool:
        return not self.copy


@dataclass(frozen=True, slots=True)
class Redirect(Action):
    """Send on, envelope sender kept (§4.2). `copy`: RFC 3894. `address` as written, checked for its syntax.

    `list_name`: `address` is of no use, and the message goes to the members of this list (RFC 6134 §2.3).
    """

    address: str
    copy: bool = False
    list_name: str = ""

    @property
    def cancels_keep(self) -> bool:
        return not self.copy


@dataclass(frozen=True, slots=True)
class Discard(Action):
    """Nothing, which cancels the implicit keep (§4.4)."""

    def conflict(self, others: Sequence[Action]) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Reject(Action):
    """Refuse with this text (RFC 5429): `ereject` while the sender waits or by DSN, `reject` else by MDN."""

    reason: str
    extended: bool = False

    def conflict(self, others: Sequence[Action]) -> str:
        if any(not isinstance(other, Discard | Notify) for other in others):
            return "a message that was filed, sent on, answered or rejected cannot be rejected"
        return ""


@dataclass(frozen=True, slots=True)
class Copy:
    """Where a copy of a generated message goes (fcc, RFC 8580)."""

    folder: str
    flags: tuple[str, ...] = ()
    create: bool = False
    mailbox_id: str = ""
    special_use: str = ""


@dataclass(frozen=True, slots=True)
class Vacation(Action):
    """Answer the sender, as `recipient` of the message (RFC 5230). The script has found that an answer is due.

    `subject` "" is "Auto: " and the message's own; `sender` "" is the recipient; with `mime` the reason is a MIME
    entity with its header (§4.4).
    """

    reason: str
    recipient: str
    subject: str = ""
    sender: str = ""
    mime: bool = False
    copy: Copy | None = None

    @property
    def cancels_keep(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Notify(Action):
    """Send a notification (RFC 5435), by mail: RFC 5436. `method` is the URI; `importance` 1 is high, 3 low."""

    method: str
    message: str = ""
    sender: str = ""
    importance: int = 2
    options: tuple[tuple[str, str], ...] = ()
    copy: Copy | None = None

    @property
    def cancels_keep(self) -> bool:
        return False

    def conflict(self, others: Sequence[Action]) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class SetFlags(Action):
    """Change the flags of the message that is there already (imapsieve, RFC 6785 §3.2)."""

    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a host has to remember with the delivery: `kind` and `key`, for `seconds`."""

    kind: str
    key: bytes
    seconds: int
