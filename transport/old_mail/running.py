"""Runs a script over the mail that is in a folder already, in batches: each message is filed as `routing.old_mail` says."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from accounts.mailstore.changes import snapshot
from accounts.mailstore.reading import BlobReference, Column, fetch, read_blob
from accounts.mailstore.values import (
    FolderId,
    FolderState,
    MailboxId,
    MailstoreError,
    NoSuchFolder,
    OverQuota,
    TooManyKeywords,
    Uid,
)
from routing.dry_run.running import likely_envelope
from routing.envelope import Client
from routing.filtering.deciding import environment_of
from routing.old_mail import Refiling, refiling
from routing.sieve.host import Host
from routing.sieve.message import Message
from routing.sieve.program import Program
from routing.verdict_fields import stored_verdict
from transport.imap.mailbox_hints import mailbox_hint
from transport.notifier import publish_now
from transport.old_mail.filing import Connection, Way, file, imagine
from transport.old_mail.folders import Place, TargetFolders

BATCH = 100
NOBODY = Client("", "", "")  # who brought the mail is not known any more
DIFFERENT_MAXIMUM = 1000
_COLUMNS: tuple[Column, ...] = ("prefix", "content")
_REFUSALS: dict[type[MailstoreError], str] = {
    NoSuchFolder: "the folder has gone",
    OverQuota: "there is no room for a copy",
    TooManyKeywords: "the folder takes no more keywords",
}


@dataclass(slots=True)
class Done:
    """How many messages were looked at, and what was done with how many, in words. `failed` ones stay as they were."""

    messages: int = 0
    filed: Counter[str] = field(default_factory=Counter)
    left_undone: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def fail(self, words: str, messages: int = 1) -> None:
        _count(self.failed, words, messages)


def _count(counts: Counter[str], words: str, number: int) -> None:
    """A script makes names of what stands in messages: what is remembered of them is bounded."""
    is_kept = words in counts or len(counts) < DIFFERENT_MAXIMUM
    counts[words if is_kept else "and so on"] += number


class OldMail:
    """One folder of a mailbox and one script. `make_host` gives what answers for the owner, anew for each batch."""

    def __init__(
        self,
        db: Connection,
        owner: MailboxId,
        address: str,
        folder: FolderState,
        program: Program,
        make_host: Callable[[], Host],
        *,
        is_dry: bool = False,
    ) -> None:
        """`address` is the recipient of what does not say for whom it came."""
        self.done = Done()
        self._db = db
        self._owner = owner
        self._address = address
        self._folder = folder
        self._program = program
        self._make_host = make_host
        self._environment = environment_of(NOBODY)
        self._is_dry = is_dry
        self._folders = TargetFolders(db, owner, is_dry=is_dry)

    def uids(self) -> Sequence[Uid]:
        """Those that are there now: what comes later goes through the script as it comes."""
        return [Uid(uid) for uid in snapshot(self._db, self._owner, self._folder.id).uids]

    def run(self, uids: Sequence[Uid]) -> Iterator[int]:
        """Go through these, and tell after each batch how many that were. Other sessions see each batch at once."""
        for start in range(0, len(uids), BATCH):
            batch = uids[start : start + BATCH]
            changed: set[FolderId] = set()
            for way, chosen in self._ways(batch).items():
                changed.update(self._go(way, chosen))
            if self._folders.has_made:
                self._folders.has_made = False
                changed.add(mailbox_hint(self._owner))
            publish_now(self._db, changed)
            yield start + len(batch)

    def _ways(self, uids: Sequence[Uid]) -> dict[Way, list[Uid]]:
        """The messages of a batch by the way that they go."""
        ways: dict[Way, list[Uid]] = defaultdict(list)
        host = self._make_host()
        for uid, prefix, content in fetch(self._db, self._owner, self._folder.id, uids, _COLUMNS):
            self.done.messages += 1
            wanted = self._judged(prefix, content, host)
            way = None if wanted is None else self._way(wanted)
            if way is not None:
                ways[way].append(uid)
        return ways

    def _judged(self, prefix: bytes, content: bytes | BlobReference, host: Host) -> Refiling | None:
        """What the script wants; None when it failed."""
        if isinstance(content, BlobReference):
            try:
                content = read_blob(self._db, content)
            except (LookupError, OSError):
                self.done.fail("what was stored cannot be read")
                return None
        message = Message(prefix + content)
        envelope = likely_envelope(message, None, self._address)
        environment = dict(self._environment) | dict(stored_verdict(prefix).scores)
        result = self._program.run(message, envelope, host, environment=environment)
        if result.error is not None:
            self.done.fail(str(result.error))
            return None
        wanted = refiling(result, is_edited=result.message is not message)
        self.done.left_undone.update(wanted.left_undone)
        return wanted

    def _way(self, wanted: Refiling) -> Way | None:
        """The way with its folders; None where one of them is missing."""
        stays, flags = wanted.stays, wanted.flags
        targets: dict[FolderId, tuple[Place, tuple[str, ...]]] = {}
        for target, added in wanted.targets:
            place = self._folders.find(target)
            if place is None:
                self.done.fail(f"there is no folder {target.folder or target.special_use}")
                return None
            if place.id == self._folder.id:
                stays, flags = True, added
            else:
                targets[place.id] = place, added
        return Way(stays, flags, tuple(targets.values()), wanted.is_discard)

    def _go(self, way: Way, uids: Sequence[Uid]) -> Sequence[FolderId]:
        """The folders that are not as they were."""
        if self._is_dry:
            filed = imagine(way, uids)
        else:
            try:
                filed = file(self._db, self._owner, self._folder.id, way, uids)
            except tuple(_REFUSALS) as error:
                self.done.fail(_REFUSALS[type(error)], len(uids))
                self._folders.forget()
                return ()
        for words, count in filed.counts:
            if count:
                _count(self.done.filed, words, count)
        return filed.folders
