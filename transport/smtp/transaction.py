"""The state of one SMTP session and of the mail transaction in it, RFC 5321 §4.1.4. Pure."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from accounts.allowances import Allowance
from routing.decisions import Resolution
from routing.envelope import Envelope, Recipient
from routing.evidence import SpfEvidence
from routing.verdicts import Term
from transport.smtp.syntax import MailCommand


@dataclass(slots=True)
class Transaction:
    """MAIL has been accepted. What recipients resolve to is kept, so that the plan needs no further look-up.

    The last fields are what is found out on port 25 before DATA (`policing`): `facts` and `spf` are being gathered, await
    them; `terms` are signs for and against the client. `is_allowed`: the allow list names it; `allowed_by` is the id of the
    entry that let it pass the policies. `allowance` is a login's, as it was at MAIL.
    """

    mail: MailCommand
    trace_id: str
    resolved: list[tuple[Recipient, Resolution]] = field(default_factory=list)
    chunks: bytearray = field(default_factory=bytearray)  # one octet each, however small the chunks
    chunked_octets: int = 0
    is_chunked: bool = False  # a BDAT came: DATA may not follow (RFC 3030 §2)
    facts: dict[str, Awaitable[Any]] = field(default_factory=dict)
    spf: Awaitable[SpfEvidence] | None = None
    terms: list[Term] = field(default_factory=list)
    is_allowed: bool = False
    allowed_by: int = 0
    allowance: Allowance | None = None

    def note(self, term: Term | None) -> None:
        """Keep a sign, each name once."""
        if term is not None and all(term.name != known.name for known in self.terms):
            self.terms.append(term)

    @property
    def envelope(self) -> Envelope:
        return Envelope(
            reverse_path=self.mail.reverse_path,
            recipients=tuple(recipient for recipient, _ in self.resolved),
            ret=self.mail.ret,
            envid=self.mail.envid,
            body=self.mail.body,
            smtputf8=self.mail.smtputf8,
        )
