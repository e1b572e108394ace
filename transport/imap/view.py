"""What one client believes a folder to hold, pure (RFC 9051 §2.3.1.2, §5.2, §5.5, §7.5.1; MODSEQ: RFC 7162).

The mail store tells what happened; the client learns of it when the protocol allows. A message that is gone keeps its
sequence number until its EXPUNGE may be sent; a new one gets the next number when its EXISTS is sent, which is always
allowed. The arrays are the client's side: `uids[n - 1]` is the message with sequence number n.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

SEEN = 1
_LOWEST_OCTET = 0 if sys.byteorder == "little" else 7
_IS_SEEN = bytes(octet & SEEN for octet in range(256))


@dataclass(frozen=True, slots=True)
class Expunged:
    """`* number EXPUNGE` for each of `numbers` in their order, or VANISHED with the ascending `uids`."""

    numbers: tuple[int, ...]
    uids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Exists:
    """`* count EXISTS`"""

    count: int


@dataclass(frozen=True, slots=True)
class KeywordsChanged:
    """`* FLAGS` and PERMANENTFLAGS again: the folder has new keywords."""

    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlagsChanged:
    """`* number FETCH (FLAGS …)`"""

    number: int
    uid: int
    flags: int
    modseq: int


Untagged = Expunged | Exists | KeywordsChanged | FlagsChanged


class FolderView:
    """One client's view of its selected folder."""

    def __init__(
        self,
        uids: "array[int]",
        flags: "array[int]",
        modseqs: "array[int]",
        keywords: tuple[str, ...],
        modseq: int,
    ) -> None:
        """The three arrays are parallel, in order of UID, and belong to the view from now on; `modseq` is the
        folder's highest one at the time. Nobody else writes into them."""
        self.uids = uids
        self.flags = flags
        self.modseqs = modseqs
        self.keywords = keywords
        self.modseq = modseq
        self._has_shared_arrays = False
        self._announced = len(uids)
        self._announced_keywords = keywords
        self._vanished: set[int] = set()
        self._changed: set[int] = set()
        self._before_vanished = modseq  # where the view stood before the first of `_vanished`
        self._told = modseq  # the highest modseq that `told` has heard of
        self.has_told_expunges = False  # since somebody last said False
        self.newest: Sequence[int] = ()
        """The UIDs that the last `release` announced."""

    def __len__(self) -> int:
        return len(self.uids)

    def fork(self) -> "FolderView":
        """Another view of the same messages, as of a client that has just selected the folder.

        The arrays are shared until one of the two changes.
        """
        other = FolderView(self.uids, self.flags, self.modseqs, self.keywords, self.modseq)
        other._told = self._told  # an entry may be newer than `modseq`, and a FETCH tells its own
        self._has_shared_arrays = other._has_shared_arrays = True
        return other

    def _own_arrays(self) -> None:
        """Have arrays to write into."""
        if self._has_shared_arrays:
            self.uids, self.flags, self.modseqs = self.uids[:], self.flags[:], self.modseqs[:]
            self._has_shared_arrays = False

    def index(self, uid: int) -> int | None:
        """The zero-based place of a UID, or None."""
        place = bisect_left(self.uids, uid)
        return place if place < len(self.uids) and self.uids[place] == uid else None

    def places(self, uids: Sequence[int]) -> list[int]:
        """The zero-based places of these UIDs, in their order; those that are not there are left out."""
        count = len(self.uids)
        first = self.uids[0] if count else 0
        if not count or self.uids[-1] - first + 1 == count:  # no gap
            return [uid - first for uid in uids if 0 <= uid - first < count]
        if len(uids) < count // 8:
            return [place for uid in uids if (place := self.index(uid)) is not None]
        known = dict(zip(self.uids, range(count), strict=True))
        return [known[uid] for uid in uids if uid in known]

    @property
    def has_gone(self) -> bool:
        """Whether `is_gone` holds for any."""
        return bool(self._vanished)

    def is_gone(self, uid: int) -> bool:
        """Whether the message is expunged, and the client does not know it yet."""
        return uid in self._vanished

    @property
    def first_unseen(self) -> int | None:
        """The sequence number of the first message without \\Seen."""
        return self.flags.tobytes()[_LOWEST_OCTET::8].translate(_IS_SEEN).find(0) + 1 or None

    def absorb(
        self,
        vanished: Iterable[int],
        entries: Iterable[tuple[int, int, int]],
        keywords: tuple[str, ...],
        modseq: int,
    ) -> None:
        """Take what happened up to `modseq`: UIDs that went, and (uid, flags, modseq) of new and changed entries in
        order of UID. What is known already is passed over."""
        self.keywords = keywords
        for uid, flags, changed_at in entries:
            self._take_entry(uid, flags, changed_at)
            self._told = max(self._told, changed_at)  # it may be newer than `modseq`
        self._expunge(vanished)
        self.modseq = max(self.modseq, modseq)

    def expunge(self, uids: Iterable[int], modseq: int) -> None:
        """These went by the session's own doing, the last of them at `modseq`; the client will be told."""
        self._expunge(uids)
        if modseq == self.modseq + 1:  # nobody else's change lies between
            self.modseq = modseq

    def _expunge(self, uids: Iterable[int]) -> None:
        if not self._vanished:
            self._before_vanished = self.modseq
        self._vanished.update(uid for uid in uids if self.index(uid) is not None)
        self._changed -= self._vanished

    def settle(self) -> None:
        """The client has been told nothing yet: what is known now is what it will be told at first."""
        self.release(expunges=True)
        self.has_told_expunges = False

    @property
    def modseq_to_keep(self) -> int:
        """Up to which modseq the client has heard of everything, once the flags' news are told."""
        return self._before_vanished if self._vanished else self.modseq

    @property
    def is_ahead(self) -> bool:
        """Whether the client may have seen a modseq above `modseq_to_keep` (RFC 7162 §3.2, §6)."""
        return max(self._told, self.modseq) > self.modseq_to_keep

    def told(
        self,
        changed: Sequence[tuple[int, int, int]],
        unchanged: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        """The client knows these (uid, flags, modseq) already: a FETCH or STORE said so.

        `changed` are all that the session's own command changed; `unchanged` may be part of what another one did.
        """
        own = {modseq for _, _, modseq in changed}
        for uid, flags, modseq in chain(changed, unchanged):
            self._told = max(self._told, modseq)
            place = self.index(uid)
            if place is not None and modseq >= self.modseqs[place]:
                self._own_arrays()
                self.flags[place] = flags
                self.modseqs[place] = modseq
                self._changed.discard(uid)
        while self.modseq + 1 in own:  # nobody else's change lies between
            self.modseq += 1

    def knows(self, uids: Iterable[int]) -> None:
        """The client is being told the flags of these."""
        if self._changed:
            self._changed.difference_update(uids)

    def is_news(self, uid: int) -> bool:
        """Whether the message's flags have changed and the client does not know it yet."""
        return uid in self._changed

    def release(self, *, expunges: bool, flags: bool = True) -> list[Untagged]:
        """What the client must now be told.

        `expunges` is False while it may be counting on sequence numbers (FETCH, STORE and SEARCH by number: RFC 9051
        §7.5.1), `flags` before a command that may change them: a client that has sent a STORE would take older flags
        for its outcome.
        """
        untagged: list[Untagged] = []
        self.newest = ()
        if expunges and self._vanished:
            untagged.extend(self._release_expunges())
        if len(self.uids) > self._announced:
            untagged.append(Exists(len(self.uids)))
            self.newest = self.uids[self._announced :]
            self._announced = len(self.uids)
        if self.keywords != self._announced_keywords:
            untagged.append(KeywordsChanged(self.keywords))
            self._announced_keywords = self.keywords
        if flags and self._changed:
            untagged.extend(self._release_flags())
        return untagged

    def _take_entry(self, uid: int, flags: int, modseq: int) -> None:
        if not self.uids or uid > self.uids[-1]:
            self._own_arrays()
            self.uids.append(uid)
            self.flags.append(flags)
            self.modseqs.append(modseq)
            return
        place = self.index(uid)
        if place is None or modseq <= self.modseqs[place]:
            return
        self._own_arrays()
        self.flags[place] = flags
        self.modseqs[place] = modseq
        if place < self._announced:
            self._changed.add(uid)

    def _release_expunges(self) -> list[Untagged]:
        """From the last to the first, so that each number holds whatever went before.

        A message that came and went unannounced leaves without a word.
        """
        places = sorted(place for uid in self._vanished if (place := self.index(uid)) is not None)
        known = [place for place in places if place < self._announced]
        uids = tuple(self.uids[place] for place in known)
        self.uids = _without(self.uids, places)
        self.flags = _without(self.flags, places)
        self.modseqs = _without(self.modseqs, places)
        self._has_shared_arrays = False
        self._announced -= len(known)
        self._vanished.clear()
        if not known:
            return []
        self.has_told_expunges = True
        return [Expunged(tuple(place + 1 for place in reversed(known)), uids)]

    def _release_flags(self) -> list[FlagsChanged]:
        changed = []
        for uid in sorted(self._changed):
            place = self.index(uid)
            if place is not None:
                changed.append(FlagsChanged(place + 1, uid, self.flags[place], self.modseqs[place]))
        self._changed.clear()
        return changed


def _without(values: "array[int]", places: list[int]) -> "array[int]":
    """`values` without the ones at the sorted `places`."""
    kept = array(values.typecode)
    start = 0
    for place in places:
        kept += values[start:place]
        start = place + 1
    kept += values[start:]
    return kept
