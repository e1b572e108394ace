"""Compiled scripts of this process, by the SHA-256 of their text: what many messages go through is compiled once.

A text that does not compile is remembered too: a script that an older version of the language took costs no compilation
a message.
"""

import hashlib
import threading
from collections import OrderedDict

from routing.sieve.errors import InvalidScript
from routing.sieve.language import standard
from routing.sieve.program import Program

PROGRAMS_MAXIMUM = 2000
OCTETS_MAXIMUM = 4 * 1024 * 1024
"""Of the texts; their programs are some times as large."""


class ProgramCache:
    """The programs that were used last, within bounds. Any thread may ask."""

    def __init__(self, programs: int = PROGRAMS_MAXIMUM, octets: int = OCTETS_MAXIMUM) -> None:
        self._programs_maximum = programs
        self._octets_maximum = octets
        self._octets = 0
        self._kept: OrderedDict[bytes, tuple[Program | InvalidScript, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, digest: bytes) -> Program | None:
        """The program of the text with this digest, if it was compiled lately. Raises InvalidScript."""
        with self._lock:
            kept = self._kept.get(digest)
            if kept is None:
                return None
            self._kept.move_to_end(digest)
        return _program(kept[0])

    def compiled(self, content: bytes) -> Program:
        """The program of a text. Raises InvalidScript."""
        digest = hashlib.sha256(content).digest()
        found = self.find(digest)
        if found is not None:
            return found
        outcome: Program | InvalidScript
        try:
            outcome = standard().compile(content)
        except InvalidScript as error:
            outcome = InvalidScript(error.errors)  # without the traceback, which holds the text
        self._keep(digest, outcome, len(content))
        return _program(outcome)

    def _keep(self, digest: bytes, outcome: Program | InvalidScript, size: int) -> None:
        with self._lock:
            if digest in self._kept:  # another thread was quicker
                return
            self._kept[digest] = (outcome, size)
            self._octets += size
            while len(self._kept) > 1 and (
                len(self._kept) > self._programs_maximum or self._octets > self._octets_maximum
            ):
                _, (_, gone) = self._kept.popitem(last=False)
                self._octets -= gone


def _program(outcome: Program | InvalidScript) -> Program:
    if isinstance(outcome, InvalidScript):
        raise InvalidScript(outcome.errors)
    return outcome


PROGRAMS = ProgramCache()


def compiled(content: bytes) -> Program:
    """The program of a script's text, from this process's cache. Raises InvalidScript."""
    return PROGRAMS.compiled(content)
