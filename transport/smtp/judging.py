"""What is found out about a message while its sender waits, after its last octet: on port 25 only.

Whatever fails or takes too long is left out, and the trace says so: a step that fails stops no mail.
"""

from routing.envelope import Client
from routing.judging import Findings
from transport.smtp.judgement import Gathered
from transport.smtp.transaction import Transaction


class Judging:
    """One a process. All methods belong to the event loop."""

    async def gather(
        self, transaction: Transaction, client: Client, content: bytes
    ) -> tuple[bytes, Gathered]:
        """The message as it is to be kept, and what is known of it."""
        findings = Findings(tuple(transaction.terms), is_allowed=transaction.is_allowed)
        return content, Gathered(findings)
