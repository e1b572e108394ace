"""enclose: the whole message as an attachment of a new one (RFC 5703 §6). A redirect still sends what was enclosed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.header_values import encoded_value, has_controls
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.made_parts import COPIES_A_LOOK, is_about_content, text_entity
from routing.sieve.message import Message
from routing.sieve.parts import enclose_message
from routing.sieve.texts import Text, text_of, texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Enclose:
    text: Text
    subject: Text | None
    headers: Sequence[Text]

    def run(self, run: "Run") -> None:
        inner = run.message
        run.look_at(len(inner.content) // COPIES_A_LOOK)
        boundary = hashlib.sha256(inner.content).hexdigest()[:40].encode()
        encoding = b"7bit" if inner.content.isascii() else b"8bit"
        message = Message(
            self._header(run, inner)
            + b"MIME-Version: 1.0\r\n"
            + b'Content-Type: multipart/mixed; boundary="%b"\r\n' % boundary
            + b"Content-Transfer-Encoding: %b\r\n\r\n" % encoding
            + b"--%b\r\n%b" % (boundary, text_entity(text_of(run, self.text)))
            + b"\r\n--%b\r\nContent-Type: message/rfc822\r\n" % boundary
            + b"Content-Transfer-Encoding: %b\r\n\r\n" % encoding
            + inner.content
            + b"\r\n--%b--\r\n" % boundary
        )
        message.enclosed = inner.enclosed or inner
        enclose_message(run, message, (1, 0))
        run.note("the message is enclosed in a new one")

    def _header(self, run: "Run", inner: Message) -> bytes:
        """The fields that are asked for, and those that no message is without."""
        wanted = {name.lower() for name in texts_of(run, self.headers)}
        fields = [
            (one.name, one.raw)
            for one in inner.header_fields
            if one.name.lower() in wanted and not is_about_content(one.name)
        ]
        there = {name.lower() for name, _ in fields}
        if self.subject is not None:
            subject = text_of(run, self.subject)
            if has_controls(subject):
                raise RunError(f"{subject[:200]!r} is no subject")
            fields = [one for one in fields if one[0].lower() != "subject"]
            fields.append(("Subject", encoded_value("Subject", subject)))
        elif "subject" not in there:
            fields += [("Subject", one.raw) for one in inner.fields("subject")[:1]]
        if "date" not in there:
            fields.append(("Date", f" {format_datetime(run.host.now())}".encode()))
        owner = next(iter(run.host.own_addresses()), run.envelope.recipient)
        if "from" not in there and owner:
            fields.append(("From", encoded_value("From", owner)))
        if "message-id" not in there:
            name = hashlib.sha256(inner.content).hexdigest()[:32]
            domain = owner.rpartition("@")[2] or "localhost"
            fields.append(
                ("Message-ID", encoded_value("Message-ID", f"<{name}.enclosed@{domain}>"))
            )
        return b"".join(b"%b:%b\r\n" % (name.encode(), raw) for name, raw in fields)


def _build(call: Call) -> _Enclose:
    return _Enclose(call.text(0), call.tag("subject"), call.tag("headers") or ())


EXTENSION = Extension(
    "enclose",
    commands=(
        Signature(
            "enclose",
            _build,
            (Shape.STRING,),
            tags=(TagKind("subject", Shape.STRING), TagKind("headers", Shape.STRINGS)),
        ),
    ),
)
