"""The state of one SMTP session and of the mail transaction in it, RFC 5321 §4.1.4. Pure."""

from dataclasses import dataclass, field

from routing.decisions import Resolution
from routing.envelope import Envelope, Recipient
from routing.evidence import SpfEvidence
from routing.verdicts import Term
from transport.smtp.syntax import MailCommand


@dataclass(slots=True)
class Transaction:
    """MAIL has been accepted. What recipients resolve to is kept, so that the plan needs no further look-up.

    `terms`, `spf` and `is_allowed` are what was found out on port 25 before DATA: signs for and against the client, and
    whether the allow list names it.
    """

    mail: MailCommand
    trace_id: str
    resolved: list[tuple[Recipient, Resolution]] = field(default_factory=list)
    chunks: bytearray = field(default_factory=bytearray)  # one octet each, however small the chunks
    chunked_octets: int = 0
    terms: list[Term] = field(default_factory=list)
    spf: SpfEvidence | None = None
    is_allowed: bool = False
    is_chunked: bool = False  # a BDAT came: DATA may not follow (RFC 3030 §2)

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
