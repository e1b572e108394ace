"""mboxmetadata and servermetadata: annotations of folders and of the server (RFC 5490 §4, §5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.language import Extension, Shape, Signature
from routing.sieve.matching import Matcher
from routing.sieve.texts import Text, text_of, texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Metadata:
    """`folder` None is the server."""

    folder: Text | None
    entry: Text
    matcher: Matcher

    def holds(self, run: "Run") -> bool:
        folder = None if self.folder is None else text_of(run, self.folder)
        value = _annotation(run, folder, text_of(run, self.entry))
        return value is not None and self.matcher.matches(run, [value])


@dataclass(frozen=True, slots=True)
class _MetadataExists:
    folder: Text | None
    entries: Sequence[Text]

    def holds(self, run: "Run") -> bool:
        folder = None if self.folder is None else text_of(run, self.folder)
        return all(
            _annotation(run, folder, entry) is not None for entry in texts_of(run, self.entries)
        )


def _annotation(run: "Run", folder: str | None, entry: str) -> str | None:
    run.ask("metadata", folder, entry)
    return run.host.metadata(folder, entry)


def _metadata(call: Call) -> _Metadata:
    return _Metadata(call.text(0), call.text(1), call.matcher(call.texts(2)))


def _metadata_exists(call: Call) -> _MetadataExists:
    return _MetadataExists(call.text(0), call.texts(1))


def _server_metadata(call: Call) -> _Metadata:
    return _Metadata(None, call.text(0), call.matcher(call.texts(1)))


def _server_metadata_exists(call: Call) -> _MetadataExists:
    return _MetadataExists(None, call.texts(0))


_NAMED = (Shape.STRING, Shape.STRINGS)
FOLDERS = Extension(
    "mboxmetadata",
    tests=(
        Signature("metadata", _metadata, (Shape.STRING, *_NAMED), matches=True),
        Signature("metadataexists", _metadata_exists, _NAMED),
    ),
)
SERVER = Extension(
    "servermetadata",
    tests=(
        Signature("servermetadata", _server_metadata, _NAMED, matches=True),
        Signature("servermetadataexists", _server_metadata_exists, (Shape.STRINGS,)),
    ),
)
