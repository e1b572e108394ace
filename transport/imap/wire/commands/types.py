"""What a client can ask, as frozen values (RFC 9051 §6 and the extensions named at each).

A folder's name is already decoded (modified UTF-7 → str) and INBOX is in upper case. Everything else that the
client chose stays bytes until its decode is known.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from transport.imap.wire.fetch_items import FetchItem
from transport.imap.wire.sequence import SequenceSet

if TYPE_CHECKING:
    from transport.imap.wire.partial import PartialRange
    from transport.imap.wire.search_keys import SearchKey


@dataclass(frozen=True, slots=True)
class Plain:
    """A command without arguments: NOOP, CHECK, IDLE, …"""

    name: str


@dataclass(frozen=True, slots=True)
class Login:
    user: bytes
    password: bytes


@dataclass(frozen=True, slots=True)
class Authenticate:
    """`initial` is None without an initial response, and b"" for `=` (RFC 4959 §3)."""

    mechanism: str
    initial: bytes | None


@dataclass(frozen=True, slots=True)
class Id:
    """RFC 2971; `fields` empty for NIL."""

    fields: tuple[tuple[bytes, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Compress:
    """RFC 4978."""

    mechanism: str


@dataclass(frozen=True, slots=True)
class EventGroup:
    """Which folders (`scope` in upper case, some with `names`) and which `events` in upper case, none for NONE;
    `items` are fetched of new messages in the selected folder (RFC 5465 §8)."""

    scope: str
    names: frozenset[str]
    events: frozenset[str]
    items: tuple[FetchItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Notify:
    """NOTIFY SET, or NONE with no groups (RFC 5465 §3.1)."""

    groups: tuple[EventGroup, ...]
    with_status: bool


@dataclass(frozen=True, slots=True)
class Enable:
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resync:
    """What a client knows of a folder (RFC 7162 §3.2.5). Without `known_uids` it may know any.

    `numbers` and `uids` are as many: some of the sequence numbers that it knows, and their UIDs.
    """

    uid_validity: int
    modseq: int
    known_uids: SequenceSet | None
    numbers: SequenceSet | None
    uids: SequenceSet | None


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT, or EXAMINE when `read_only`; `folder` is as the client wrote it, `condstore` and `resync` are RFC 7162's
    parameters."""

    folder: str
    read_only: bool
    condstore: bool
    resync: Resync | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """`uses` are special uses as the client wrote them (RFC 6154 §3)."""

    folder: str
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FolderCommand:
    """DELETE, SUBSCRIBE, UNSUBSCRIBE."""

    name: str
    folder: str


@dataclass(frozen=True, slots=True)
class SetAcl:
    """SETACL; DELETEACL, which leaves no rights. `mode` is replace, add or remove; `rights` are letters of RFC 4314 §2.1."""

    folder: str
    identifier: str
    mode: str
    rights: str


@dataclass(frozen=True, slots=True)
class ListRights:
    """The answer repeats the identifier as it was sent (RFC 4314 §3.4)."""

    folder: str
    identifier: str
    sent_identifier: bytes


@dataclass(frozen=True, slots=True)
class Rename:
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class List:
    """LIST, LSUB (`name`) and XLIST. Options are in upper case; `status_items` are those of RETURN (STATUS …)."""

    name: str
    reference: str
    patterns: tuple[str, ...]
    selects: frozenset[str]
    returns: frozenset[str]
    status_items: tuple[str, ...]
    is_extended: bool


@dataclass(frozen=True, slots=True)
class Status:
    folder: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GetQuota:
    """RFC 9208 §4.1.1."""

    root: bytes


@dataclass(frozen=True, slots=True)
class GetQuotaRoot:
    """RFC 9208 §4.1.2."""

    folder: str


@dataclass(frozen=True, slots=True)
class SetQuota:
    """RFC 9208 §4.1.3; each limit with its resource's name in upper case."""

    root: bytes
    limits: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class GetMetadata:
    """RFC 5464 §4.2. `folder` "" is the server; `depth` None is infinity."""

    folder: str
    entries: tuple[str, ...]
    max_size: int | None
    depth: int | None


@dataclass(frozen=True, slots=True)
class SetMetadata:
    """RFC 5464 §4.3; a value that is None deletes."""

    folder: str
    values: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """One message to append; `is_utf8`: as RFC 6855 §4's data extension."""

    flags: tuple[bytes, ...]
    internal_date: datetime | None
    content: bytes
    is_utf8: bool = False


@dataclass(frozen=True, slots=True)
class Append:
    """One message, or several (RFC 3502)."""

    folder: str
    uploads: tuple[Upload, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """RFC 8508; `message` is a single number."""

    message: SequenceSet
    by_uid: bool
    folder: str
    upload: Upload


@dataclass(frozen=True, slots=True)
class Fetch:
    """`changed_since` and `vanished`: RFC 7162 §3.1.4, §3.2.6; `partial`: RFC 9394 §3.3."""

    messages: SequenceSet
    items: tuple[FetchItem, ...]
    by_uid: bool
    changed_since: int | None
    vanished: bool = False
    partial: "PartialRange | None" = None


@dataclass(frozen=True, slots=True)
class Store:
    """`mode` is add, remove or replace."""

    messages: SequenceSet
    mode: str
    flags: tuple[bytes, ...]
    silent: bool
    by_uid: bool
    unchanged_since: int | None


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY, or MOVE (RFC 6851)."""

    name: str
    messages: SequenceSet
    folder: str
    by_uid: bool


@dataclass(frozen=True, slots=True)
class Expunge:
    """EXPUNGE, or UID EXPUNGE with `messages` (RFC 4315 §2.1)."""

    messages: SequenceSet | None


@dataclass(frozen=True, slots=True)
class Returns:
    """RETURN's options in upper case (RFC 4731 §3.1, RFC 5182, RFC 6203 §4, RFC 9394 §3.1)."""

    options: frozenset[str]
    partial: "PartialRange | None" = None


@dataclass(frozen=True, slots=True)
class Search:
    """SEARCH, or SORT when it has `criteria`: each a name and whether it is reversed.

    `key` is None when the client's charset is not known, `returns` without RETURN.
    """

    key: "SearchKey | None"
    by_uid: bool
    returns: Returns | None
    criteria: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """THREAD (RFC 5256); `key` as in Search."""

    algorithm: str
    key: "SearchKey | None"
    by_uid: bool


Command = (
    Plain
    | Login
    | Authenticate
    | Id
    | Compress
    | Notify
    | Enable
    | Select
    | Create
    | FolderCommand
    | SetAcl
    | ListRights
    | Rename
    | List
    | Status
    | GetQuota
    | GetQuotaRoot
    | SetQuota
    | GetMetadata
    | SetMetadata
    | Append
    | Replace
    | Fetch
    | Store
    | Copy
    | Expunge
    | Search
    | Thread
)
