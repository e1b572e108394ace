"""Runs a program over one message. Pure: what it does not know, it asks the host, and it changes nothing. RFC 5228."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from routing.sieve.actions import Action, FileInto, Keep, Memory, Redirect
from routing.sieve.errors import InvalidUse, RunError
from routing.sieve.host import Host, ScriptEnvelope
from routing.sieve.limits import (
    ACTIONS_MAXIMUM,
    INSTRUCTIONS_MAXIMUM,
    MATCHED_OCTETS_MAXIMUM,
    QUESTIONS_MAXIMUM,
    REDIRECTS_MAXIMUM,
    TOO_MANY_STEPS,
)
from routing.sieve.message import Message
from routing.sieve.program import Block, Program
from routing.sieve.results import Result
from routing.sieve.trace import Kind, Trace
from routing.sieve.wording import in_words

if TYPE_CHECKING:
    from routing.sieve.checker import CountedTest


class Stop(Exception):
    """The script ends here (RFC 5228 §3.3)."""


def run(
    program: Program,
    message: Message,
    envelope: ScriptEnvelope,
    host: Host,
    environment: Mapping[str, str],
    after: Result | None,
    trace: Trace | None,
) -> Result:
    """See Program.run."""
    state = Run(program, message, envelope, host, environment, after, trace)
    earlier, seen = tuple(state.actions), tuple(state.messages)
    try:
        state.execute(program.block)
    except Stop:
        state.note("stop")
    except (RunError, InvalidUse) as error:  # a key that was a constant's error is the run's
        place = state.program.source.error(state.at, str(error))
        state.note(str(error), Kind.ERROR)
        return Result(
            message,
            (*earlier, Keep(implicit=True)),
            place,
            after.memories if after is not None else (),
            (*seen, message),
        )
    if state.implicit_keep:
        state.actions.append(state.amended(Keep(implicit=True)))
        state.messages.append(state.message)
    return Result(
        state.message,
        tuple(state.actions),
        None,
        tuple(state.memories),
        tuple(state.messages),
    )


class Run:
    """One run. `state` is where extensions keep what lasts as long as it does, by keys of their own."""

    def __init__(
        self,
        program: Program,
        message: Message,
        envelope: ScriptEnvelope,
        host: Host,
        environment: Mapping[str, str],
        after: Result | None,
        trace: Trace | None,
    ) -> None:
        self.program = program  # that of an included script while it runs
        self._amendments = program.amendments
        self.message = message
        self.envelope = envelope
        self.host = host
        self.environment = environment
        self.trace = trace
        self.actions: list[Action] = []
        self.messages: list[Message] = []  # as it was when each of them was asked for
        self.memories: list[Memory] = []
        self.implicit_keep = True
        self.match_values: tuple[str, ...] = ()
        self.was_taken = False  # whether a branch of the `if` at hand has run
        self.at = 0  # the offset of what runs
        self.state: dict[Any, Any] = {}
        self.steps_left = INSTRUCTIONS_MAXIMUM  # commands and tests
        self._octets = MATCHED_OCTETS_MAXIMUM
        self._questions: set[tuple[str | bytes | None, ...]] = set()
        if after is not None:
            for index, one in enumerate(after.actions):
                if not (isinstance(one, Keep) and one.implicit):
                    self.actions.append(one)
                    self.messages.append(after.message_of(index))
            self.memories += after.memories

    def execute(self, block: Block) -> None:
        """The commands of a block, one after the other."""
        for step in block:
            self._count(step.at)
            if self.trace is None:
                step.command.run(self)
            else:
                self._note_place()
                with self.trace.command(step.name):
                    step.command.run(self)

    def traced(self, counted: "CountedTest") -> bool:
        """Whether a test is true, told to the trace that there is."""
        assert self.trace is not None
        self._count(counted.at)
        self._note_place()
        with self.trace.test(counted.name) as answer:
            answer.append(bool(counted.test.holds(self)))
        return answer[0]

    def act(self, action: Action) -> None:
        """Ask for an action; one that was asked for before is not done twice (RFC 5228 §2.10.3)."""
        action = self.amended(action)
        if reason := action.conflict(self.actions):
            raise RunError(reason)
        if action.cancels_keep:
            self.implicit_keep = False
        for index, other in enumerate(self.actions):
            if _goal(other) == _goal(action):
                self.actions[index] = merged = _merged(other, action)
                self.messages[index] = self._message_for(action)
                self._note_action(merged, "asked for before: ")
                return
        if isinstance(action, Redirect):
            redirects = sum(isinstance(other, Redirect) for other in self.actions)
            if redirects >= REDIRECTS_MAXIMUM:
                raise RunError(f"a message is redirected {REDIRECTS_MAXIMUM} times at most")
        if len(self.actions) >= ACTIONS_MAXIMUM:
            raise RunError(f"a script does {ACTIONS_MAXIMUM} things with a message at most")
        self.actions.append(action)
        self.messages.append(self._message_for(action))
        self._note_action(action)

    def _message_for(self, action: Action) -> Message:
        enclosed = self.message.enclosed if isinstance(action, Redirect) else None
        return enclosed or self.message

    def amended(self, action: Action) -> Action:
        """The action as the extensions of the script complete it."""
        for amend in self._amendments:
            action = amend(self, action)
        return action

    def add_amendments(self, program: Program) -> None:
        """What another script that runs within this one has required completes all actions from now on."""
        new = (amend for amend in program.amendments if amend not in self._amendments)
        self._amendments = (*self._amendments, *new)

    def fresh(self) -> "Run":
        """Another run of the program over what this one has before it, with nothing asked for yet."""
        return Run(
            self.program, self.message, self.envelope, self.host, self.environment, None, self.trace
        )

    def look_at(self, octets: int) -> None:
        """Count the work of a comparison. Raises RunError when a run has done too much of it."""
        self._octets -= octets
        if self._octets < 0:
            raise RunError("the script compares too much text")

    def ask(self, *question: str | bytes | None) -> None:
        """Count a question to the host, once however often it is asked. Raises RunError when there are too many."""
        self._questions.add(question)
        if len(self._questions) > QUESTIONS_MAXIMUM:
            raise RunError("the script asks too much of the server")

    def note(self, text: str, kind: Kind = Kind.NOTE) -> None:
        """A line of the trace, where there is one."""
        if self.trace is not None:
            self._note_place()
            self.trace.note(text, kind)

    @property
    def line(self) -> int:
        """The line of what runs."""
        return self.program.source.line(self.at)

    def _note_action(self, action: Action, how: str = "") -> None:
        if self.trace is not None:
            self.note(f"{how}{in_words(action)}", Kind.ACTION)

    def _note_place(self) -> None:
        if self.trace is not None:
            self.trace.line, self.trace.source = self.line, self.program.source

    def _count(self, at: int) -> None:
        self.at = at
        self.steps_left -= 1
        if self.steps_left < 0:
            raise RunError(TOO_MANY_STEPS)


def _goal(action: Action) -> Any:
    """What two actions that do the same have in common; each of another kind is alone."""
    match action:
        case Keep():  # equivalent to filing into INBOX (§4.3)
            return (FileInto, "INBOX", "", "")
        case FileInto(folder=folder, mailbox_id=mailbox_id, special_use=special_use):
            # INBOX is the same in any case (RFC 9051 §5.1)
            name = "INBOX" if folder.upper() == "INBOX" else folder
            return (FileInto, name, mailbox_id, special_use)
        case Redirect(address=address, list_name=list_name):
            local_part, _, domain = address.rpartition("@")
            return (Redirect, local_part, domain.lower(), list_name)
    return action


def _merged(first: Action, second: Action) -> Action:
    """One action for both: the later one, whose flags win (RFC 5232 §3), in a folder that either may create."""
    if isinstance(first, FileInto) and isinstance(second, FileInto):
        return replace(second, create=first.create or second.create)
    if isinstance(first, Keep | FileInto) and isinstance(second, Keep | FileInto):
        return second
    return first
