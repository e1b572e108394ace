"""Tokens to a tree. RFC 5228 §8.2. After an error it goes on at the next command, so that all errors are told."""

from routing.sieve.errors import ScriptError
from routing.sieve.lexer import Kind, Source, Token, tokens
from routing.sieve.limits import ERRORS_MAXIMUM, NESTING_MAXIMUM
from routing.sieve.nodes import Argument, Invocation, Number, String, StringList, Tag


def parse(source: Source) -> tuple[tuple[Invocation, ...], list[ScriptError]]:
    """The commands of a script, and the errors of its grammar; what is broken is left out of the tree."""
    parser = _Parser(source)
    return parser.script(), parser.errors


class _Lost(Exception):
    """The command at hand cannot be read."""


class _Parser:
    def __init__(self, source: Source) -> None:
        self.errors: list[ScriptError] = []
        self._source = source
        self._tokens = tokens(source.text)
        self._depth = 0
        self._next = self._advance()

    def script(self) -> tuple[Invocation, ...]:
        commands = list(self._commands())
        while self._is_more():  # a "}" that closes nothing
            self._complain("this } closes nothing")
            self._next = self._advance()
            commands.extend(self._commands())
        return tuple(commands)

    def _commands(self) -> tuple[Invocation, ...]:
        found = []
        while self._is_more() and not self._at("}"):
            depth = self._depth
            try:
                found.append(self._command())
            except _Lost:
                self._depth = depth
                self._skip_command()
        return tuple(found)

    def _command(self) -> Invocation:
        token = self._next
        if token.kind is not Kind.IDENTIFIER:
            raise self._lost("here should be a command")
        self._next = self._advance()
        found = self._arguments()
        if self._take(";"):
            return Invocation(token.at, str(token.value), *found)
        if not self._at("{"):
            raise self._lost(f"{str(token.value)!r} should end with a semicolon or have a block")
        return Invocation(token.at, str(token.value), *found, self._block())

    def _block(self) -> tuple[Invocation, ...]:
        opened = self._next.at
        self._deepen()
        self._next = self._advance()
        commands = self._commands()
        self._depth -= 1
        if not self._take("}"):
            if len(self.errors) < ERRORS_MAXIMUM:
                self.errors.append(self._source.error(opened, "this block has no end"))
            raise _Lost
        return commands

    def _test(self) -> Invocation:
        token = self._next
        if token.kind is not Kind.IDENTIFIER:
            raise self._lost("here should be a test")
        self._deepen()
        self._next = self._advance()
        found = self._arguments()
        self._depth -= 1
        return Invocation(token.at, str(token.value), *found)

    def _arguments(self) -> tuple[tuple[Argument, ...], tuple[Invocation, ...], bool]:
        """Also the tests, and whether they stand in parentheses."""
        arguments: list[Argument] = []
        while (argument := self._argument()) is not None:
            arguments.append(argument)
        if self._next.kind is Kind.IDENTIFIER:
            return tuple(arguments), (self._test(),), False
        if not self._take("("):
            return tuple(arguments), (), False
        tests = [self._test()]
        while self._take(","):
            tests.append(self._test())
        self._expect(")", "here should be a comma or the end of the list of tests")
        return tuple(arguments), tuple(tests), True

    def _argument(self) -> Argument | None:
        token = self._next
        kind = token.kind
        if kind is Kind.MARK:
            return self._list() if token.value == "[" else None
        if kind is Kind.STRING:
            return self._string()
        if kind is Kind.TAG:
            self._next = self._advance()
            return Tag(token.at, str(token.value))
        if kind is Kind.NUMBER:
            self._next = self._advance()
            return Number(token.at, int(token.value))
        return None

    def _list(self) -> StringList:
        at = self._next.at
        self._next = self._advance()
        items = [self._string()]
        while self._take(","):
            items.append(self._string())
        self._expect("]", "here should be a comma or the end of the list of strings")
        return StringList(at, tuple(items))

    def _string(self) -> String:
        token = self._next
        if token.kind is not Kind.STRING:
            raise self._lost("here should be a string")
        self._next = self._advance()
        return String(token.at, str(token.value))

    def _deepen(self) -> None:
        self._depth += 1
        if self._depth > NESTING_MAXIMUM:
            raise self._lost(f"this is nested more than {NESTING_MAXIMUM} deep")

    def _advance(self) -> Token:
        """The next token that is one; an error among them is told."""
        for token in self._tokens:
            if token.kind is not Kind.BAD:
                return token
            self.errors.append(self._source.error(token.at, str(token.value)))
            if len(self.errors) >= ERRORS_MAXIMUM:
                break
        return Token(Kind.END, len(self._source.text), "")

    def _is_more(self) -> bool:
        return self._next.kind is not Kind.END

    def _at(self, mark: str) -> bool:
        token = self._next
        return token.value == mark and token.kind is Kind.MARK

    def _take(self, mark: str) -> bool:
        if not self._at(mark):
            return False
        self._next = self._advance()
        return True

    def _expect(self, mark: str, message: str) -> None:
        if not self._take(mark):
            raise self._lost(message)

    def _complain(self, message: str) -> None:
        if len(self.errors) < ERRORS_MAXIMUM:
            self.errors.append(self._source.error(self._next.at, message))

    def _lost(self, message: str) -> _Lost:
        self._complain(message)
        return _Lost()

    def _skip_command(self) -> None:
        """On to behind the end of the command: its semicolon, or its block with all in it."""
        depth = 0
        while self._is_more():
            if self._at("{"):
                depth += 1
            elif self._at("}"):
                if depth == 0:
                    return
                depth -= 1
            ends = depth == 0 and (self._at(";") or self._at("}"))
            self._next = self._advance()
            if ends:
                return
