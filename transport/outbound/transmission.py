"""What is sent in one mail transaction: envelope, content, and what they need of the server. Pure."""

from dataclasses import dataclass

from transport.outbound.replies import Extensions
from transport.queue.outcomes import Outcome, permanent


@dataclass(frozen=True, slots=True)
class Addressee:
    """One recipient of the transaction; `id` is what its outcome is filed under."""

    id: int
    forward_path: str
    notify: str = ""
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Transmission:
    """A transaction to make. `content` has CRLF only; `has_utf8_header` says whether its header needs SMTPUTF8."""

    reverse_path: str
    addressees: tuple[Addressee, ...]
    content: bytes
    has_utf8_header: bool = False
    ret: str = ""
    envid: str = ""
    require_tls: bool = False

    def refusal(self, addressee: Addressee, offered: Extensions) -> Outcome | None:
        """Why this server cannot be given the message for this recipient, or None.

        SMTPUTF8: RFC 6531 §3.4, §3.5. 8BITMIME: RFC 6152 §3; converting would break signatures. SIZE: RFC 1870
        §6.1. REQUIRETLS (RFC 8689 §4.2.1) is not done yet, so its mail is not sent at all.
        """
        if self.require_tls:
            return permanent("5.7.30", "this server cannot send with REQUIRETLS")
        if self.needs_smtputf8(addressee) and "SMTPUTF8" not in offered:
            return permanent(
                "5.6.7", "the recipient's server takes no internationalised mail (SMTPUTF8)"
            )
        if not self.content.isascii() and "8BITMIME" not in offered:
            return permanent("5.6.3", "the recipient's server takes no 8-bit content (8BITMIME)")
        if offered.size is not None and len(self.content) > offered.size:
            return permanent(
                "5.3.4",
                f"the message has {len(self.content)} octets, the server takes {offered.size}",
            )
        return None

    def needs_smtputf8(self, addressee: Addressee) -> bool:
        return (
            self.has_utf8_header
            or not self.reverse_path.isascii()
            or not addressee.forward_path.isascii()
        )

    def mail_command(self, offered: Extensions, *, is_utf8: bool) -> bytes:
        """MAIL with the parameters that the server knows."""
        parameters = []
        if "SIZE" in offered:
            parameters.append(f"SIZE={len(self.content)}")
        if "8BITMIME" in offered:
            parameters.append("BODY=7BIT" if self.content.isascii() else "BODY=8BITMIME")
        if is_utf8:
            parameters.append("SMTPUTF8")
        if "DSN" in offered and self.ret:
            parameters.append(f"RET={self.ret}")
        if "DSN" in offered and self.envid:
            parameters.append(f"ENVID={self.envid}")
        return _command("MAIL FROM", self.reverse_path, parameters)

    def rcpt_command(self, addressee: Addressee, offered: Extensions) -> bytes:
        """RCPT with NOTIFY and ORCPT for a server that offers DSN (RFC 3461 §5.2.2)."""
        parameters = []
        if "DSN" in offered and addressee.notify:
            parameters.append(f"NOTIFY={addressee.notify}")
        if "DSN" in offered and addressee.orcpt:
            parameters.append(f"ORCPT={addressee.orcpt}")
        return _command("RCPT TO", addressee.forward_path, parameters)


def _command(verb: str, path: str, parameters: list[str]) -> bytes:
    line = " ".join([f"{verb}:<{path}>", *parameters])
    if "\r" in line or "\n" in line:  # the listeners' grammar lets none through
        raise ValueError(f"no command can hold {path!r}")
    return line.encode() + b"\r\n"
