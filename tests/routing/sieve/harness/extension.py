"""A Sieve extension that makes scripts testable from within a script, by the API that any package may use.

A package outside `routing` brings commands and tests of its own with `standard().extended(EXTENSION)`:

    message TEXT;  sender TEXT;  recipient TEXT;      what scripts are run over
    mailbox NAME;  annotation FOLDER ENTRY VALUE;  addresslist NAME MEMBERS;  library [:global] NAME TEXT;
    case NAME { ... }                                 a test: a fresh run, whose failure ends it alone
    fail REASON;                                      the case fails
    execute;                                          carry out the last result
    take FOLDER NUMBER;                               the message is this one of a folder, from 1
    compiles TEXT, runs TEXT                          tests: a script has no errors; the last one is run
    problem KEYS, action KEYS                         tests, with match types: one of the errors, of the actions
    filed FOLDER NUMBER                               test: so many messages were filed into a folder

The result of `case`s is in the HarnessHost, which has to be the host of the run.
"""

from dataclasses import dataclass, replace

from routing.sieve.errors import InvalidScript, RunError
from routing.sieve.interpreter import Run, Stop
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.matching import Matcher
from routing.sieve.message import Message
from routing.sieve.program import Block
from routing.sieve.texts import Text, text_of, texts_of
from tests.routing.sieve.harness.state import HarnessHost, described

NAME = "vnd.example.harness"


class Failed(Exception):
    """The case at hand has failed."""


def host_of(run: Run) -> HarnessHost:
    if not isinstance(run.host, HarnessHost):
        raise RunError("the harness needs a host of its own")
    return run.host


@dataclass(frozen=True, slots=True)
class _SetMessage:
    content: Text

    def run(self, run: Run) -> None:
        run.message = Message(text_of(run, self.content).encode("utf-8", "surrogateescape"))


@dataclass(frozen=True, slots=True)
class _SetPath:
    field: str
    path: Text

    def run(self, run: Run) -> None:
        run.envelope = replace(run.envelope, **{self.field: text_of(run, self.path)})


@dataclass(frozen=True, slots=True)
class _Mailbox:
    name: Text

    def run(self, run: Run) -> None:
        host_of(run).folders.add(text_of(run, self.name))


@dataclass(frozen=True, slots=True)
class _Annotation:
    folder: Text
    entry: Text
    value: Text

    def run(self, run: Run) -> None:
        folder = text_of(run, self.folder) or None  # "" is the server
        entry = text_of(run, self.entry).lower()
        host_of(run).annotations[folder, entry] = text_of(run, self.value)


@dataclass(frozen=True, slots=True)
class _AddressList:
    name: Text
    members: tuple[Text, ...]

    def run(self, run: Run) -> None:
        host_of(run).lists[text_of(run, self.name)] = set(texts_of(run, self.members))


@dataclass(frozen=True, slots=True)
class _Library:
    is_global: bool
    name: Text
    content: Text

    def run(self, run: Run) -> None:
        host = host_of(run)
        scripts = host.library if self.is_global else host.personal
        scripts[text_of(run, self.name)] = text_of(run, self.content).encode()


@dataclass(frozen=True, slots=True)
class _Case:
    name: Text
    block: Block

    def run(self, run: Run) -> None:
        host, name = host_of(run), text_of(run, self.name)
        inner = run.fresh()
        try:
            inner.execute(self.block)
        except Stop:
            pass
        except (Failed, RunError) as problem:
            host.failed.append(f"{name}: line {inner.line}: {problem}")
            return
        host.passed.append(name)


@dataclass(frozen=True, slots=True)
class _Fail:
    reason: Text

    def run(self, run: Run) -> None:
        raise Failed(text_of(run, self.reason))


class _Execute:
    def run(self, run: Run) -> None:
        host = host_of(run)
        if host.result is None:
            raise RunError("nothing was run")
        host.carry_out(host.result)


@dataclass(frozen=True, slots=True)
class _Take:
    folder: Text
    number: int

    def run(self, run: Run) -> None:
        messages = host_of(run).stored.get(text_of(run, self.folder), [])
        if not 0 < self.number <= len(messages):
            raise RunError(f"there are {len(messages)} messages")
        run.message = Message(messages[self.number - 1])


@dataclass(frozen=True, slots=True)
class _Compiles:
    script: Text

    def holds(self, run: Run) -> bool:
        host = host_of(run)
        try:
            host.program = run.program.language.compile(text_of(run, self.script).encode())
        except InvalidScript as invalid:
            host.program, host.errors = None, invalid.errors
            return False
        host.errors = ()
        return True


@dataclass(frozen=True, slots=True)
class _Runs(_Compiles):
    def holds(self, run: Run) -> bool:
        host = host_of(run)
        if not _Compiles.holds(self, run) or host.program is None:
            return False
        host.result = host.program.run(
            run.message, run.envelope, host, environment=run.environment, trace=run.trace
        )
        host.errors = () if host.result.error is None else (host.result.error,)
        return not host.errors


@dataclass(frozen=True, slots=True)
class _Problem:
    matcher: Matcher

    def holds(self, run: Run) -> bool:
        return self.matcher.matches(run, [str(error) for error in host_of(run).errors])


@dataclass(frozen=True, slots=True)
class _Action:
    matcher: Matcher

    def holds(self, run: Run) -> bool:
        result = host_of(run).result
        return self.matcher.matches(
            run, [described(one) for one in result.actions] if result else []
        )


@dataclass(frozen=True, slots=True)
class _Filed:
    folder: Text
    number: int

    def holds(self, run: Run) -> bool:
        return len(host_of(run).stored.get(text_of(run, self.folder), [])) == self.number


TEXT, TEXTS, NUMBER = Shape.STRING, Shape.STRINGS, Shape.NUMBER

EXTENSION = Extension(
    NAME,
    commands=(
        Signature("message", lambda call: _SetMessage(call.text(0)), (TEXT,)),
        Signature("sender", lambda call: _SetPath("sender", call.text(0)), (TEXT,)),
        Signature("recipient", lambda call: _SetPath("recipient", call.text(0)), (TEXT,)),
        Signature("mailbox", lambda call: _Mailbox(call.text(0)), (TEXT,)),
        Signature(
            "annotation",
            lambda call: _Annotation(call.text(0), call.text(1), call.text(2)),
            (TEXT, TEXT, TEXT),
        ),
        Signature(
            "addresslist", lambda call: _AddressList(call.text(0), call.texts(1)), (TEXT, TEXTS)
        ),
        Signature(
            "library",
            lambda call: _Library(call.has("global"), call.text(0), call.text(1)),
            (TEXT, TEXT),
            tags=(TagKind("global"),),
        ),
        Signature("case", lambda call: _Case(call.text(0), call.block), (TEXT,), has_block=True),
        Signature("fail", lambda call: _Fail(call.text(0)), (TEXT,)),
        Signature("execute", lambda call: _Execute()),
        Signature("take", lambda call: _Take(call.text(0), call.number(1)), (TEXT, NUMBER)),
    ),
    tests=(
        Signature("compiles", lambda call: _Compiles(call.text(0)), (TEXT,)),
        Signature("runs", lambda call: _Runs(call.text(0)), (TEXT,)),
        Signature(
            "problem", lambda call: _Problem(call.matcher(call.texts(0))), (TEXTS,), matches=True
        ),
        Signature(
            "action", lambda call: _Action(call.matcher(call.texts(0))), (TEXTS,), matches=True
        ),
        Signature("filed", lambda call: _Filed(call.text(0), call.number(1)), (TEXT, NUMBER)),
    ),
)
