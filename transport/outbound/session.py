"""An SMTP session as a client: greeting, EHLO, STARTTLS, AUTH, then any number of transactions (RFC 5321 §3).

PIPELINING (RFC 2920) for MAIL and RCPT; DATA is sent alone, since the lease is looked at before it.
"""

import base64
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from transport.outbound.content import stuffed
from transport.outbound.dane import Tlsa
from transport.outbound.replies import Extensions, Reply, parse_extensions
from transport.outbound.tls import TlsFacts, TlsPolicy, client_context, facts_of
from transport.outbound.transmission import Addressee, Transmission
from transport.outbound.wire import DEFAULT_LIMITS, ConnectionFailed, TimeLimits, Wire
from transport.queue.outcomes import Outcome, Result, Stage, outcome_of_reply, temporary


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of one host to speak to. `own_name` is what we say in EHLO; `tlsa` is for TlsPolicy.DANE."""

    host: str
    address: str
    port: int
    own_name: str
    policy: TlsPolicy = TlsPolicy.OPPORTUNISTIC
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    limits: TimeLimits = DEFAULT_LIMITS
    tlsa: tuple[Tlsa, ...] = ()


class SessionFailed(Exception):
    """No session came about, or it broke; `outcome` says what it means for every recipient without one."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome


class LeaseLost(Exception):
    """Another worker has the message, or it was taken out of the queue: nothing more may be sent."""


class Session:
    """An open session; made by `open_session`."""

    def __init__(self, endpoint: Endpoint, wire: Wire, *, is_plain: bool = False) -> None:
        self.endpoint = endpoint
        self.is_open = True
        self.offered = Extensions({})
        self.transactions = 0
        self.greeting_name = ""
        self._wire = wire
        self._stage = Stage.GREETING
        self._is_plain = is_plain

    @property
    def tls(self) -> TlsFacts:
        facts = facts_of(self._wire.tls)
        is_dane = self.endpoint.policy is TlsPolicy.DANE and bool(facts.version)
        return replace(facts, is_verified=True) if is_dane else facts

    def transact(
        self, transmission: Transmission, holds_lease: Callable[[], bool]
    ) -> dict[int, Outcome]:
        """Send one message; the outcome for each addressee by its id.

        `holds_lease` is asked before DATA and before the final dot; LeaseLost is raised when it says no, and the
        session is closed. Raises SessionFailed when the connection breaks before an outcome was known.
        """
        try:
            return self._transact(transmission, holds_lease)
        except ConnectionFailed as error:
            self.close()
            raise SessionFailed(
                temporary(
                    "4.4.2", f"{error} ({self._stage.value})", self.endpoint.host, self._stage
                )
            ) from None
        except LeaseLost:
            self.close()
            raise

    def quit(self) -> None:
        """End politely, without waiting long."""
        with contextlib.suppress(ConnectionFailed):
            self._command(b"QUIT\r\n", self.endpoint.limits.quit)
        self.close()

    def close(self) -> None:
        self.is_open = False
        self._wire.close()

    # opening

    def greet(self) -> None:
        """Everything before the first MAIL. Raises SessionFailed."""
        limits, policy = self.endpoint.limits, self.endpoint.policy
        try:
            if policy is TlsPolicy.IMPLICIT:
                self._start_tls()
            greeting = self._wire.read_reply(limits.greeting)
            self._require(greeting, Stage.GREETING)
            self.greeting_name = greeting.text.split(" ", 1)[0].lower()
            self._hello()
            may_start = policy is not TlsPolicy.IMPLICIT and not self._is_plain
            if may_start and "STARTTLS" in self.offered:
                self._stage = Stage.STARTTLS
                reply = self._command(b"STARTTLS\r\n", limits.command)
                if reply.code == 220:
                    self._start_tls()
                    self._hello()
            if policy.is_required and not self.tls.version:
                raise SessionFailed(
                    temporary(
                        "4.7.10", "the next hop offers no TLS", self.endpoint.host, Stage.STARTTLS
                    )
                )
            if self.endpoint.username:
                self._authenticate()
        except ConnectionFailed as error:
            raise SessionFailed(
                temporary(
                    "4.4.2", f"{error} ({self._stage.value})", self.endpoint.host, self._stage
                )
            ) from None

    def _hello(self) -> None:
        """EHLO, or HELO for a server that does not know it (RFC 5321 §3.2)."""
        self._stage = Stage.EHLO
        name = self.endpoint.own_name.encode()
        reply = self._command(b"EHLO " + name + b"\r\n", self.endpoint.limits.command)
        if reply.code in (500, 501, 502, 504, 550):
            self.offered = Extensions({})
            self._require(
                self._command(b"HELO " + name + b"\r\n", self.endpoint.limits.command), Stage.EHLO
            )
            return
        self._require(reply, Stage.EHLO)
        self.offered = parse_extensions(reply)

    def _start_tls(self) -> None:
        self._stage = Stage.STARTTLS
        try:
            context = client_context(self.endpoint.policy, self.endpoint.ca_file)
        except OSError as error:
            raise ConnectionFailed(f"the CA file cannot be used: {error}") from None
        self._wire.start_tls(context, self.endpoint.host, self.endpoint.limits.tls)
        if self.endpoint.policy is TlsPolicy.DANE:
            certificate = self._wire.tls and self._wire.tls.getpeercert(binary_form=True)
            if not any(record.matches(certificate or b"") for record in self.endpoint.tlsa):
                raise ConnectionFailed("TLS failed: the certificate is none of the TLSA records")

    def _authenticate(self) -> None:
        """AUTH PLAIN (RFC 4616), or LOGIN where that alone is offered; under TLS only."""
        self._stage = Stage.AUTH
        user, password = self.endpoint.username, self.endpoint.password
        if not self.tls.version:
            raise SessionFailed(
                temporary(
                    "4.7.11", "no password is sent without TLS", self.endpoint.host, Stage.AUTH
                )
            )
        limit = self.endpoint.limits.command
        if "PLAIN" in self.offered.mechanisms or "LOGIN" not in self.offered.mechanisms:
            reply = self._command(b"AUTH PLAIN " + _base64(f"\0{user}\0{password}"), limit)
        else:
            reply = self._command(b"AUTH LOGIN\r\n", limit)
            for answer in (user, password):
                if reply.code == 334:
                    reply = self._command(_base64(answer), limit)
        self._require(reply, Stage.AUTH)

    # one transaction

    def _transact(
        self, transmission: Transmission, holds_lease: Callable[[], bool]
    ) -> dict[int, Outcome]:
        self.transactions += 1
        outcomes, addressees = self._sort_out(transmission)
        if not addressees:
            return outcomes
        accepted = self._send_envelope(transmission, addressees, outcomes)
        if not accepted:
            self._reset()
            return outcomes
        if not holds_lease():
            raise LeaseLost
        self._stage = Stage.DATA
        reply = self._command(b"DATA\r\n", self.endpoint.limits.data)
        if reply.code != 354:
            outcomes |= self._for_all(accepted, _no_success(reply), Stage.DATA)
            self._reset()
            return outcomes
        reply = self._send_content(transmission.content, holds_lease)
        if reply.code // 100 == 3:
            reply = _no_success(reply)
        return outcomes | self._for_all(accepted, reply, Stage.CONTENT)

    def _sort_out(self, transmission: Transmission) -> tuple[dict[int, Outcome], list[Addressee]]:
        """What this server cannot be given, and the addressees that remain."""
        outcomes: dict[int, Outcome] = {}
        remaining = []
        for addressee in transmission.addressees:
            refusal = transmission.refusal(addressee, self.offered)
            if refusal is None:
                remaining.append(addressee)
            else:
                outcomes[addressee.id] = refusal
        return outcomes, remaining

    def _send_envelope(
        self,
        transmission: Transmission,
        addressees: list[Addressee],
        outcomes: dict[int, Outcome],
    ) -> list[Addressee]:
        """MAIL and RCPT; those whose RCPT was accepted. The outcomes of the others are filed."""
        limits = self.endpoint.limits
        is_utf8 = any(transmission.needs_smtputf8(addressee) for addressee in addressees)
        mail = transmission.mail_command(self.offered, is_utf8=is_utf8)
        rcpts = [transmission.rcpt_command(addressee, self.offered) for addressee in addressees]
        is_pipelined = "PIPELINING" in self.offered
        self._stage = Stage.MAIL
        self._wire.send([mail + b"".join(rcpts)] if is_pipelined else [mail], limits.command)
        mail_reply = self._wire.read_reply(limits.command)
        self._check_not_closing(mail_reply, Stage.MAIL)
        is_taken = mail_reply.code // 100 == 2
        accepted = []
        for addressee, rcpt in zip(addressees, rcpts, strict=True):
            if not is_pipelined:
                if not is_taken:
                    break
                self._wire.send([rcpt], limits.command)
            self._stage = Stage.RCPT
            reply = self._wire.read_reply(limits.command)
            self._check_not_closing(reply, Stage.RCPT)
            if is_taken and reply.code // 100 == 2:
                accepted.append(addressee)
            elif is_taken:
                outcomes |= self._for_all([addressee], _no_success(reply), Stage.RCPT)
        if not is_taken:
            outcomes |= self._for_all(addressees, _no_success(mail_reply), Stage.MAIL)
        return accepted

    def _send_content(self, content: bytes, holds_lease: Callable[[], bool]) -> Reply:
        limits = self.endpoint.limits
        self._stage = Stage.CONTENT
        try:
            self._wire.send(stuffed(content), limits.block)
            if not holds_lease():
                raise LeaseLost
            self._wire.send([b".\r\n"], limits.block)
        except ConnectionFailed:
            return self._parting_words()
        return self._wire.read_reply(limits.content)

    def _parting_words(self) -> Reply:
        """What a server said before it hung up in the middle of the content; a success cannot be meant."""
        return _no_success(self._wire.read_reply(self.endpoint.limits.quit))

    def _reset(self) -> None:
        """Make ready for the next transaction; the outcomes of this one are known, whatever happens here."""
        try:
            reply = self._command(b"RSET\r\n", self.endpoint.limits.command)
        except ConnectionFailed:
            self.close()
            return
        if reply.code // 100 != 2:
            self.close()

    def _for_all(
        self, addressees: list[Addressee], reply: Reply, stage: Stage
    ) -> dict[int, Outcome]:
        outcome = outcome_of_reply(reply.code, reply.text, stage, self.endpoint.host)
        if outcome.result is Result.DELIVERED and "DSN" in self.offered:
            outcome = replace(outcome, passes_dsn=True)
        return {addressee.id: outcome for addressee in addressees}

    def _command(self, line: bytes, seconds: float) -> Reply:
        self._wire.send([line], seconds)
        return self._wire.read_reply(seconds)

    def _require(self, reply: Reply, stage: Stage) -> None:
        if reply.code // 100 != 2:
            raise SessionFailed(
                outcome_of_reply(_no_success(reply).code, reply.text, stage, self.endpoint.host)
            )

    def _check_not_closing(self, reply: Reply, stage: Stage) -> None:
        """421 may come at any time and ends the session (RFC 5321 §3.8)."""
        if reply.code == 421:
            self.close()
            raise SessionFailed(outcome_of_reply(421, reply.text, stage, self.endpoint.host))


def open_session(endpoint: Endpoint) -> Session:
    """Connect and do everything up to the first MAIL. Raises SessionFailed.

    Opportunistic TLS that fails is followed by a second connection in the clear (RFC 7435 §3).
    """
    try:
        return _open(endpoint)
    except SessionFailed as error:
        is_tls_trouble = error.outcome.stage is Stage.STARTTLS
        if endpoint.policy.is_required or not is_tls_trouble:
            raise
    return _open(endpoint, is_plain=True)


def _open(endpoint: Endpoint, *, is_plain: bool = False) -> Session:
    try:
        wire = Wire.connect(endpoint.address, endpoint.port, endpoint.limits.connect)
    except ConnectionFailed as error:
        raise SessionFailed(temporary("4.4.1", str(error), endpoint.host)) from None
    session = Session(endpoint, wire, is_plain=is_plain)
    try:
        session.greet()
    except BaseException:
        session.close()
        raise
    return session


def _no_success(reply: Reply) -> Reply:
    """A reply where a success would make no sense: one is taken as a passing disorder of the server."""
    if reply.code >= 400:
        return reply
    return Reply(451, (f"4.5.0 unexpected reply: {reply.code} {reply.text}",))


def _base64(text: str) -> bytes:
    return base64.b64encode(text.encode()) + b"\r\n"
