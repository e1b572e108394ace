"""The commands of SMTP: RFC 5321 §4.1.1, submission RFC 6409, and the extensions that EHLO names.

A command returns its reply and never writes it. What it may not do is in `transport.smtp.admission`; what becomes
of a message in `transport.smtp.acceptance`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable
from contextlib import nullcontext
from typing import Any

from accounts.addresses import Address
from accounts.allowances import Full
from accounts.entries import Login
from routing.delivery import plan_delivery
from routing.envelope import Client, Recipient
from transport.carrying import Repeated
from transport.sasl.mechanisms import MECHANISMS
from transport.smtp.acceptance import Accepted, Arrival, Refused, accept_message
from transport.smtp.admission import admit_sender
from transport.smtp.content import DataDecoder, with_crlf
from transport.smtp.incoming import ConnectionLost
from transport.smtp.logging_in import WRONG, authenticate
from transport.smtp.policing import Visit
from transport.smtp.service import Port, SmtpService
from transport.smtp.session import SmtpSession
from transport.smtp.syntax import CommandError, parse_bdat, parse_mail, parse_rcpt
from transport.smtp.trace_fields import new_trace_id
from transport.smtp.transaction import Transaction

RECIPIENTS_MAXIMUM = 1000  # RFC 5321 §4.5.3.1.8 asks for 100
REFUSED_RECIPIENTS_MAXIMUM = 50  # then the client is guessing addresses
BLOCK_SECONDS = 180.0  # RFC 5321 §4.5.3.2.5
MESSAGE_SECONDS = 3600.0
LOGIN_FAILURES_MAXIMUM = 3
REPEAT_WAIT_SECONDS = 0.5  # for another process to tell that a client has heard its 250

TOO_LARGE = "552 5.3.4 the message is too large"
NO_MEMORY = "452 4.3.1 too much mail is coming in at the moment"
NO_TRANSACTION = "503 5.5.1 MAIL first"
NO_RECIPIENT = "503 5.5.1 RCPT first"
NO_GREETING = "503 5.5.1 EHLO first"

PARAMETERS = frozenset({"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "NOTIFY", "ORCPT"})

log = logging.getLogger(__name__)


class SmtpConnection(SmtpSession):
    """One client: its greeting, its login, its transaction."""

    def __init__(self, service: SmtpService, port: Port) -> None:
        super().__init__(service, port)
        self.login: Login | None = None
        self._helo = ""
        self._is_extended = False
        self._transaction: Transaction | None = None
        self._finding: tuple[Awaitable[Any], ...] = ()  # the facts of the last transaction
        self._login_failures = 0
        self._octets_coming = 0  # of the message of DATA, or of a chunk, until it is accepted
        self._refused_recipients = 0
        self._unheard: bytes | None = (
            None  # the fingerprint of a message whose 250 the client may not have seen
        )
        self.commands = {
            b"EHLO": self.smtp_EHLO,
            b"HELO": self.smtp_HELO,
            b"MAIL": self.smtp_MAIL,
            b"RCPT": self.smtp_RCPT,
            b"DATA": self.smtp_DATA,
            b"BDAT": self.smtp_BDAT,
            b"RSET": self.smtp_RSET,
            b"NOOP": self.smtp_NOOP,
            b"QUIT": self.smtp_QUIT,
            b"VRFY": self.smtp_VRFY,
            b"EXPN": self.smtp_EXPN,
            b"HELP": self.smtp_HELP,
            b"STARTTLS": self.smtp_STARTTLS,
            b"AUTH": self.smtp_AUTH,
        }

    def _enter(self) -> bool:
        return self.service.enter(self)

    def _leave(self) -> None:
        self.service.leave(self)

    async def _command_line(self) -> bytes:
        was_quiet = not self.incoming.has_more
        line = await super()._command_line()
        if self._unheard is not None:
            if was_quiet:  # it waited for the 250 before it went on
                self.service.postponed.heard(self._unheard)
            self._unheard = None
        return line

    @property
    def octets_held(self) -> int:
        """How much of a message stands in memory."""
        return self._octets_coming + (self._transaction.chunked_octets if self._transaction else 0)

    # Session

    async def smtp_EHLO(self, argument: bytes) -> str:
        if not self._greet(argument):
            return "501 5.5.4 Syntax: EHLO domain"
        self._is_extended = True
        offers = [self.service.hostname, *self._extensions()]
        return "\r\n".join([f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"])

    async def smtp_HELO(self, argument: bytes) -> str:
        if not self._greet(argument):
            return "501 5.5.4 Syntax: HELO domain"
        self._is_extended = False
        return f"250 {self.service.hostname}"

    async def smtp_NOOP(self, argument: bytes) -> str:
        return "250 2.0.0 OK"

    async def smtp_RSET(self, argument: bytes) -> str:
        if argument:
            return "501 5.5.4 Syntax: RSET"
        self._transaction = None
        return "250 2.0.0 OK"

    async def smtp_QUIT(self, argument: bytes) -> str:
        if argument:
            return "501 5.5.4 Syntax: QUIT"
        self._ending = True
        return "221 2.0.0 goodbye"

    async def smtp_VRFY(self, argument: bytes) -> str:
        return "252 2.1.5 send it some mail, and see" if argument else "501 5.5.4 Syntax: VRFY name"

    async def smtp_EXPN(self, argument: bytes) -> str:
        return "502 5.5.1 EXPN is not offered"

    async def smtp_HELP(self, argument: bytes) -> str:
        verbs = self.commands.keys() - (set() if self.port.is_submission else {b"AUTH"})
        return f"214 2.0.0 {' '.join(sorted(verb.decode() for verb in verbs))}"

    async def smtp_STARTTLS(self, argument: bytes) -> str:
        if argument:
            return "501 5.5.4 Syntax: STARTTLS"
        if self.has_tls:
            return "503 5.5.1 TLS is on already"
        await self.begin_tls()
        self._helo = ""
        self._is_extended = False
        self._transaction = None
        return ""

    async def smtp_AUTH(self, argument: bytes) -> str:
        if not self.port.is_submission:
            return "502 5.5.1 AUTH is for the submission ports"
        if not self.has_tls:
            return "530 5.7.0 STARTTLS first"
        if not self._is_extended:
            return NO_GREETING
        if self.login is not None or self._transaction is not None:
            return "503 5.5.1 AUTH is not possible now"
        outcome = await authenticate(self, argument)
        if isinstance(outcome, Login):
            self.login = outcome
            return "235 2.7.0 welcome"
        if outcome == WRONG:
            self._login_failures += 1
            self._ending = self._login_failures >= LOGIN_FAILURES_MAXIMUM
        return outcome

    # Transaction

    async def smtp_MAIL(self, argument: bytes) -> str:
        refusal = self._may_begin()
        if refusal:
            return refusal
        try:
            mail = parse_mail(argument, extensions=self._parameters())
        except CommandError as error:
            return str(error)
        if mail.size > self.service.size_maximum:
            return TOO_LARGE
        if not self.service.has_free_space():
            return "452 4.3.1 there is no room at the moment"
        transaction = Transaction(mail, new_trace_id())
        policy = ""
        try:
            if self.login is not None:
                admitted = await self.service.database.run(
                    admit_sender, self.login, mail.reverse_path
                )
                if isinstance(admitted, str):
                    refusal = admitted
                else:
                    transaction.allowance = admitted
                    refusal = self._over_limit(transaction)
            else:
                visit = self._visit(mail.reverse_path)
                await self.service.policing.begin(visit, transaction, self._finding)
                self._finding = tuple(transaction.facts.values())
                refused = await self.service.policing.judge_sender(visit, transaction)
                refusal, policy = (refused.reply, refused.policy) if refused else ("", "")
        except Exception:
            return self._our_failure("MAIL")
        if refusal:
            self._trace_refusal(
                transaction.trace_id, "mail", refusal, mail.reverse_path, policy=policy
            )
            return refusal
        self._transaction = transaction
        return "250 2.1.0 OK"

    async def smtp_RCPT(self, argument: bytes) -> str:
        transaction = self._transaction
        if transaction is None:
            return NO_TRANSACTION
        if transaction.is_chunked:
            return "503 5.5.1 the message has begun"
        if len(transaction.resolved) >= RECIPIENTS_MAXIMUM:
            return "452 4.5.3 too many recipients"
        try:
            command = parse_rcpt(
                argument, smtputf8=transaction.mail.smtputf8, extensions=self._parameters()
            )
        except CommandError as error:
            return str(error)
        address = command.forward_path or Address("postmaster", self.service.hostname)
        refusal = self._over_limit(transaction)
        if refusal:  # what is sent to the others goes on: nobody guesses addresses
            sender = transaction.mail.reverse_path
            self._trace_refusal(transaction.trace_id, "rcpt", refusal, sender, str(address))
            return refusal
        try:
            admitted = await self.service.admit(
                command.forward_path,
                is_bounce=transaction.mail.reverse_path is None,
                may_relay=self.login is not None,
                declared_size=transaction.mail.size,
            )
            if self.login is None and not isinstance(admitted, str):
                visit = self._visit(transaction.mail.reverse_path)
                refused = await self.service.policing.judge(visit, transaction, address)
                if refused is not None:
                    return self._refuse_recipient(
                        transaction, address, refused.reply, refused.policy
                    )
        except Exception:
            return self._our_failure("RCPT")
        if isinstance(admitted, str):
            return self._refuse_recipient(transaction, address, admitted)
        transaction.resolved.append((Recipient(address, command.notify, command.orcpt), admitted))
        return "250 2.1.5 OK"

    async def smtp_DATA(self, argument: bytes) -> str:
        transaction = self._transaction
        if argument:
            return "501 5.5.4 Syntax: DATA"
        if transaction is None:
            return NO_TRANSACTION
        if transaction.is_chunked:
            return "503 5.5.1 BDAT has begun"
        if not transaction.resolved:
            return NO_RECIPIENT
        self.say("354 end with <CR><LF>.<CR><LF>")
        self._transaction = None
        decoder = DataDecoder(self.service.size_maximum)
        deadline = time.monotonic() + MESSAGE_SECONDS
        rest = None
        while rest is None:
            if time.monotonic() > deadline:
                raise ConnectionLost(is_timeout=True)
            rest = decoder.feed(await self.incoming.block(BLOCK_SECONDS))
            self._octets_coming = decoder.octets_held
            if not self.service.has_memory_for(self):
                decoder.drop()
        if rest:
            self.incoming.put_back(rest)
        if decoder.is_dropped or decoder.is_too_large:
            self._octets_coming = 0
            return TOO_LARGE if decoder.is_too_large else NO_MEMORY
        return await self._accept(transaction, decoder.content())

    async def smtp_BDAT(self, argument: bytes) -> str:
        try:
            chunk = parse_bdat(argument)
        except CommandError as error:
            self._ending = True  # nobody knows where the chunk ends
            return str(error)
        transaction = self._transaction
        octets = chunk.size + (transaction.chunked_octets if transaction else 0)
        is_wanted = transaction is not None and bool(transaction.resolved)
        fits = octets <= self.service.size_maximum
        self._octets_coming = chunk.size if is_wanted and fits else 0
        has_memory = self.service.has_memory_for(self)
        if not fits and chunk.size > 2 * self.service.size_maximum:
            self._ending = True
            return TOO_LARGE
        async with asyncio.timeout(MESSAGE_SECONDS):
            block = await self.incoming.exactly(
                chunk.size, BLOCK_SECONDS, keep=is_wanted and fits and has_memory
            )
        self._octets_coming = 0
        if transaction is None:
            return NO_TRANSACTION
        if not is_wanted:
            return NO_RECIPIENT
        if not fits:
            self._transaction = None
            return TOO_LARGE
        if not has_memory:
            self._transaction = None
            return NO_MEMORY
        transaction.is_chunked = True
        if block:
            transaction.chunks += block
        transaction.chunked_octets = octets
        if not chunk.is_last:
            return f"250 2.0.0 {chunk.size} octets"
        self._transaction = None
        return await self._accept(transaction, with_crlf(bytes(transaction.chunks)))

    # Helpers, in the order of the calls

    def _greet(self, argument: bytes) -> bool:
        words = argument.split()
        if not words or len(words[0]) > 255:
            return False
        self._helo = words[0].decode("ascii", "replace")
        self._transaction = None
        return True

    def _extensions(self) -> list[str]:
        offers = [
            "PIPELINING",
            f"SIZE {self.service.size_maximum}",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "CHUNKING",
            "DSN",
        ]
        if not self.has_tls:
            offers.append("STARTTLS")
        elif self.port.is_submission:
            offers.append(f"AUTH {' '.join(MECHANISMS)}")
        return [*offers, "HELP"]

    def _parameters(self) -> frozenset[str]:
        if not self._is_extended:
            return frozenset()
        return PARAMETERS | {"AUTH"} if self.login is not None else PARAMETERS

    def _may_begin(self) -> str:
        """The refusal of MAIL in this state, or ""."""
        if self.port.is_submission and self.login is None:
            return "530 5.7.0 log in first" if self.has_tls else "530 5.7.0 STARTTLS first"
        if not self._helo:
            return NO_GREETING
        if self._transaction is not None:
            return "503 5.5.1 there is a transaction already"
        return ""

    def _over_limit(self, transaction: Transaction) -> str:
        """The refusal of one more recipient for what the login has sent lately, or ""."""
        if transaction.allowance is None:
            return ""
        full = transaction.allowance.full(len(transaction.resolved) + 1)
        return "" if full is None else self._kept_back(full)

    def _kept_back(self, full: Full) -> str:
        assert self.login is not None
        self.service.postponed.kept_back(self.login, full, self.client_address)
        return full.reply

    def _refuse_recipient(
        self, transaction: Transaction, address: Address, refusal: str, policy: str = ""
    ) -> str:
        sender = transaction.mail.reverse_path
        self._trace_refusal(
            transaction.trace_id, "rcpt", refusal, sender, str(address), policy=policy
        )
        self._refused_recipients += 1
        if self._refused_recipients >= REFUSED_RECIPIENTS_MAXIMUM:
            self._ending = True
            return "421 4.7.0 too many refused recipients"
        return refusal

    async def _accept(self, transaction: Transaction, content: bytes) -> str:
        self._octets_coming = 0
        if len(content) > self.service.size_maximum:
            return TOO_LARGE
        self._octets_coming = len(content)
        try:
            gathered = None
            if not self.port.is_submission:
                judging = self.service.judging
                content, gathered = await judging.gather(transaction, self._client(), content)
            arrival = Arrival(
                trace_id=transaction.trace_id,
                hostname=self.service.hostname,
                client=self._client(),
                envelope=transaction.envelope,
                resolved=tuple(transaction.resolved),
                plan=plan_delivery(transaction.resolved),
                content=content,
                login=self.login,
                gathered=gathered,
            )
            # shielded: when the client hangs up now, what is committed is announced all the same
            return await asyncio.shield(asyncio.ensure_future(self._carry(arrival)))
        finally:
            self._octets_coming = 0

    async def _carry(self, arrival: Arrival) -> str:
        run = self.service.database.run
        owners = arrival.plan.owners
        try:
            async with self.service.turns.turn(min(owners)) if owners else nullcontext():
                outcome = await run(accept_message, arrival)
                if isinstance(outcome, Repeated):
                    await self.service.postponed.flush()
                    await asyncio.sleep(REPEAT_WAIT_SECONDS)
                    outcome = await run(accept_message, arrival)
        except Exception:
            return self._our_failure("the message", arrival.trace_id)
        match outcome:
            case Refused(reply, events, full):
                self.service.postponed.tell(events)
                if full is not None:
                    self._kept_back(full)
                self._trace_refusal(arrival.trace_id, "data", reply, arrival.envelope.reverse_path)
                return reply
            case Repeated(trace_id):
                return f"250 2.0.0 accepted as {trace_id}"
            case Accepted(carried, fingerprint):
                self.service.announce(carried)
                if arrival.login is None:
                    self.service.policing.count_accepted(arrival.client.address, arrival.envelope)
                self._unheard = fingerprint
                return f"250 2.0.0 accepted as {carried.trace_id}"

    def _trace_refusal(
        self,
        trace_id: str,
        step: str,
        reply: str,
        sender: Address | None,
        recipient: str = "",
        *,
        policy: str = "",
    ) -> None:
        self.service.postponed.refused(
            trace_id,
            step,
            reply,
            client=self.client_address,
            sender="" if sender is None else str(sender),
            recipient=recipient,
            policy=policy,
        )

    def _visit(self, reverse_path: Address | None) -> Visit:
        return Visit(self.client_address, self._helo, self.service.hostname, reverse_path)

    def _client(self) -> Client:
        protocol = "ESMTP" if self._is_extended else "SMTP"
        if self._is_extended:
            protocol += ("S" if self.has_tls else "") + ("A" if self.login else "")
        return Client(
            self.client_address,
            self._helo,
            protocol,
            self.login.address if self.login is not None else "",
        )

    def _our_failure(self, what: str, trace_id: str = "") -> str:
        trace_id = trace_id or new_trace_id()
        log.exception("%s: %s failed: %s", trace_id, what, self.client_address)
        return f"451 4.3.0 an error of ours, {trace_id}"
