"""Whom recipients reach, remembered until something changes that could make it wrong.

Triggers tell of every change to domains, addresses, accounts, quotas and scripts (migration 0003). Remembered is what
reaches one mailbox that is far from full, and which domains are not ours, never longer than LASTING_SECONDS; nothing
while the changes are not heard. A mailbox that fills up meanwhile refuses the message itself.
"""

import time

from accounts.addresses import SRS_PREFIX, Address
from accounts.mailstore.quota import has_room
from routing.decisions import Elsewhere, Reached, Resolution
from transport.database_threads import Connection
from transport.hearing import hear_for_ever
from transport.smtp.admission import admit_recipient

CHANNEL = "mail_directory"
LASTING_SECONDS = 10.0
REMEMBERED_MAXIMUM = 10_000

Key = tuple[Address, bool]
Lasting = Reached | Elsewhere


class Recipients:
    """One a process. All methods belong to the event loop."""

    def __init__(self) -> None:
        self._remembered: dict[Key | str, tuple[float, Lasting]] = {}
        self._is_hearing = False
        self.changes = 0
        """A look-up that began before the last of them is not remembered."""

    def find(self, address: Address, *, is_bounce: bool) -> Lasting | None:
        """Whom the address reaches, if that is known and certain."""
        remembered = self._remembered.get((address, is_bounce)) or self._remembered.get(
            address.domain
        )
        return remembered[1] if remembered and remembered[0] > time.monotonic() else None

    def remember(self, address: Address, found: Lasting, *, is_bounce: bool, changes: int) -> None:
        """What a look-up has found that began when `changes` was this."""
        if not self._is_hearing or changes != self.changes:
            return
        if len(self._remembered) >= REMEMBERED_MAXIMUM:
            self._remembered.clear()
        key = address.domain if isinstance(found, Elsewhere) else (address, is_bounce)
        self._remembered[key] = (time.monotonic() + LASTING_SECONDS, found)

    async def hear(self) -> None:
        """Hear of changes for ever."""
        await hear_for_ever(CHANNEL, self._forget, connected=self._begin, lost=self._end)

    def _forget(self, payload: bytes = b"") -> None:
        self.changes += 1
        self._remembered.clear()

    async def _begin(self) -> None:
        self._forget()
        self._is_hearing = True

    def _end(self) -> None:
        self._is_hearing = False
        self._forget()


def look_up_recipient(
    db: Connection,
    forward_path: Address | None,
    *,
    is_bounce: bool,
    may_relay: bool,
    declared_size: int = 0,
) -> tuple[Resolution | str, bool]:
    """What `admit_recipient` says, and whether that may be remembered."""
    admitted = admit_recipient(
        db, forward_path, is_bounce=is_bounce, may_relay=may_relay, declared_size=declared_size
    )
    lasts = isinstance(admitted, Elsewhere) or (
        isinstance(admitted, Reached)
        and len(admitted.mailboxes) == 1
        and not admitted.outside
        and not admitted.forwarder
        and has_room(db, admitted.mailboxes[0].id)
        # no trigger tells of SRS addresses: they come and go with forwarded mail
        and not (forward_path and forward_path.local_part.lower().startswith(SRS_PREFIX))
    )
    return admitted, lasts
