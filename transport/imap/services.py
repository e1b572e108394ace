"""What all IMAP sessions of a process share."""

from dataclasses import dataclass, field

from django.conf import settings

from transport.connection_limits import ConnectionLimits
from transport.database_threads import DatabaseThreads
from transport.imap.folder_snapshots import FolderSnapshots
from transport.imap.incoming_memory import IncomingMemory
from transport.imap.open_logins import OpenLogins
from transport.imap.progress import PROGRESS_SECONDS
from transport.imap.shared_changes import SharedChanges
from transport.notifier import Notifier
from transport.questions import Questions
from transport.turns import CHANGES_AT_ONCE, LONG_AT_ONCE, SHORT_AT_ONCE, Turns

LOGIN_SECONDS = 60.0
USUAL_PORT = 4190  # of ManageSieve


@dataclass(frozen=True, slots=True)
class Services:
    """What all sessions of a process share."""

    database: DatabaseThreads
    questions: Questions
    notifier: Notifier
    changes: SharedChanges
    snapshots: FolderSnapshots
    hostname: str
    max_message_size: int
    login_seconds: float = LOGIN_SECONDS
    still_here_seconds: float = 120.0
    progress_seconds: float = PROGRESS_SECONDS
    short_work: Turns = field(default_factory=lambda: Turns(SHORT_AT_ONCE))
    changes_of_messages: Turns = field(default_factory=lambda: Turns(CHANGES_AT_ONCE))
    long_work: Turns = field(default_factory=lambda: Turns(LONG_AT_ONCE))
    strangers: ConnectionLimits = field(default_factory=ConnectionLimits)
    open_logins: OpenLogins = field(default_factory=OpenLogins)
    incoming: IncomingMemory = field(default_factory=lambda: IncomingMemory(0))

    @property
    def sieve_url(self) -> bytes:
        """Where the scripts are managed that follow IMAP commands (RFC 6785 §2.1, RFC 5804 §3)."""
        port = settings.SIEVE_PORT
        return f"sieve://{self.hostname}{'' if port == USUAL_PORT else f':{port}'}".encode()
