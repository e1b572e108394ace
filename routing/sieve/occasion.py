"""What makes sense only while a message is being delivered, and not as a script follows an IMAP command (RFC 6785 §3.11)."""

from typing import TYPE_CHECKING

from routing.sieve.errors import RunError

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


def needs_delivery(run: "Run", what: str) -> None:
    """Raises RunError where an IMAP command is the cause of the run."""
    if run.environment.get("imap.cause"):
        raise RunError(f"{what} has its place where mail is delivered, not after an IMAP command")
