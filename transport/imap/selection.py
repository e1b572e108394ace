"""The selected folder of a session: its view, kept in step with the mail store, and what that makes the server say."""

from collections.abc import Iterable, Sequence

from accounts.mailstore.flagbits import SYSTEM_FLAGS
from accounts.mailstore.values import FolderId, MailboxId, ModSeq
from transport.imap.replies import Refused, bad
from transport.imap.shared_changes import SharedChanges
from transport.imap.view import (
    Exists,
    Expunged,
    FlagsChanged,
    FolderView,
    KeywordsChanged,
    Untagged,
)
from transport.imap.wire.modes import Modes
from transport.imap.wire.responses import FlagTexts, folder_flags
from transport.imap.wire.sequence import SequenceSet, format_numbers
from transport.notifier import Watch


class Selection:
    """What SELECT opened."""

    def __init__(
        self,
        owner: MailboxId,
        folder_id: FolderId,
        view: FolderView,
        *,
        read_only: bool,
        reader: MailboxId,
        rights: str,
    ) -> None:
        self.owner = owner
        self.reader = reader
        self.rights = rights  # of the reader (RFC 4314): all of them in one's own folder
        self._told_rights = rights
        self.folder_id = folder_id
        self.view = view
        self.read_only = read_only
        self.flag_texts = FlagTexts(view.keywords)
        self.is_stale = False  # a hint came since the last refresh
        self.watch: Watch | None = None
        self.saved: Sequence[int] = ()
        """The UIDs that `$` stands for (RFC 5182), ascending; what was expunged since is passed over."""

    @property
    def usable_rights(self) -> str:
        """The rights that change something (RFC 4314 §2.1): none after EXAMINE."""
        return "" if self.read_only else self.rights

    def may(self, right: str) -> bool:
        """Whether the reader has a right that changes something."""
        return right in self.usable_rights

    def close(self) -> None:
        if self.watch is not None:
            self.watch.close()

    async def refresh(self, shared: SharedChanges) -> None:
        """Take in what happened in the folder. Raises NoSuchFolder."""
        self.is_stale = False
        changes = await shared.since(
            self.owner, self.folder_id, ModSeq(self.view.modseq), self.reader
        )
        self.view.absorb(
            changes.vanished, changes.entries, changes.state.keywords, changes.state.highest_modseq
        )
        self.learn_keywords(changes.state.keywords)
        self.rights = changes.rights

    def learn_keywords(self, keywords: tuple[str, ...]) -> None:
        if keywords != self.flag_texts.keywords:
            self.view.keywords = keywords
            self.flag_texts = FlagTexts(keywords)

    def places(self, messages: SequenceSet, *, by_uid: bool) -> list[int]:
        """The indexes that a set names. Raises Refused for a sequence number that does not exist."""
        if messages.is_saved:
            return self.view.places(self.saved)
        if by_uid:
            return messages.select(self.view.uids)
        try:
            return messages.numbers(len(self.view))
        except IndexError:
            raise Refused(bad("no such message")) from None

    def untagged(self, modes: Modes, *, expunges: bool, flags: bool) -> bytes:
        """What the client must be told now (`FolderView.release`), in the words of its modes."""
        news = self.view.release(expunges=expunges, flags=flags)
        if self.rights != self._told_rights:  # RFC 4314 §5.1.1
            self._told_rights = self.rights
            news.append(KeywordsChanged(self.view.keywords))
        return b"".join(self._render(news, modes)) if news else b""

    def _render(self, news: Iterable[Untagged], modes: Modes) -> Iterable[bytes]:
        for item in news:
            match item:
                case Expunged(numbers, uids) if modes.tells_vanished:
                    yield b"* VANISHED %b\r\n" % format_numbers(uids)
                case Expunged(numbers, uids):
                    yield b"".join([b"* %d EXPUNGE\r\n" % number for number in numbers])
                case Exists(count):
                    yield b"* %d EXISTS\r\n" % count
                case KeywordsChanged(keywords):
                    yield folder_flags(keywords, self.usable_rights)
                case FlagsChanged(number, uid, flags, modseq):
                    words = b"FLAGS " + self.flag_texts[flags]
                    if modes.condstore:
                        words += b" MODSEQ (%d)" % modseq
                    yield fetch_line(modes, number, uid, words)

    def flag_words(self, place: int) -> bytes:
        """FLAGS and MODSEQ of one message."""
        view = self.view
        return b"FLAGS %b MODSEQ (%d)" % (self.flag_texts[view.flags[place]], view.modseqs[place])


def fetch_line(modes: Modes, number: int, uid: int, words: bytes) -> bytes:
    """FETCH with the UID, or UIDFETCH (RFC 9586 §3.3), of the attributes `words`."""
    if modes.uid_only:
        return b"* %d UIDFETCH (%b)\r\n" % (uid, words)
    return b"* %d FETCH (UID %d %b)\r\n" % (number, uid, words)


def decode_flags(flags: Iterable[bytes]) -> tuple[str, ...]:
    """Flag names as text. Raises Refused for a system flag that is none."""
    names = tuple(flag.decode("ascii") for flag in flags)
    for name in names:
        if name.startswith("\\") and name.lower() not in SYSTEM_FLAGS and name != "\\Recent":
            raise Refused(bad(f"no such flag {name}"))
    return names
