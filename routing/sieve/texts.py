"""Strings of a checked script: constants, or templates that an extension such as `variables` expands at each run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@runtime_checkable
class Template(Protocol):
    """A string that is known only as the script runs."""

    @property
    def source(self) -> str:
        """As it is written."""
        ...

    def expand(self, run: "Run") -> str: ...


Text = str | Template


def whole_characters(text: str) -> str:
    """The text with U+FFFD for octets that were no UTF-8, which addresses keep as halves of characters."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def text_of(run: "Run", text: Text) -> str:
    return text if isinstance(text, str) else text.expand(run)


def source_of(text: Text) -> str:
    """The string as it is written, nothing expanded."""
    return text if isinstance(text, str) else text.source


def texts_of(run: "Run", texts: Sequence[Text]) -> Sequence[str]:
    return [text if isinstance(text, str) else text.expand(run) for text in texts]


def constants(texts: Sequence[Text]) -> tuple[str, ...] | None:
    """The texts, if all are known before the run."""
    known = tuple([text for text in texts if isinstance(text, str)])
    return known if len(known) == len(texts) else None
