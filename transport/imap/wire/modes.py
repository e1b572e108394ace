"""What a client has enabled (RFC 5161, RFC 9051 §6.3.1), and what that changes in the words of both sides. Pure.

CONDSTORE is switched on by several commands too (RFC 7162 §3.1). Nothing is ever switched off but by UNAUTHENTICATE.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Modes:
    """One session's modes."""

    enabled: set[str] = field(default_factory=set)
    condstore: bool = False

    def enable(self, name: str) -> None:
        """`name` in upper case."""
        self.enabled.add(name)
        if name in ("CONDSTORE", "QRESYNC"):  # QRESYNC enables CONDSTORE (RFC 7162 §3.2.3)
            self.condstore = True

    @property
    def is_rev2(self) -> bool:
        """IMAP4rev2's responses in place of IMAP4rev1's (RFC 9051 appendix A)."""
        return "IMAP4REV2" in self.enabled

    @property
    def utf8(self) -> bool:
        """Folder names are UTF-8 and not modified UTF-7, both ways; quoted strings may hold UTF-8 (RFC 6855 §3)."""
        return "UTF8=ACCEPT" in self.enabled or self.is_rev2

    @property
    def uid_only(self) -> bool:
        """No sequence numbers, in either direction (RFC 9586)."""
        return "UIDONLY" in self.enabled

    @property
    def qresync(self) -> bool:
        return "QRESYNC" in self.enabled

    @property
    def tells_vanished(self) -> bool:
        """VANISHED in the place of EXPUNGE."""
        return self.qresync or self.uid_only
