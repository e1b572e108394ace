"""How far a long command is, on a terminal's stderr; nothing elsewhere."""

from django.core.management.base import OutputWrapper

BAR = 30


class ProgressBar:
    """`show(done, note)` of so much in all; as a context it clears its line in the end."""

    def __init__(self, stream: OutputWrapper, whole: int) -> None:
        self._stream = stream
        self._whole = whole
        self._is_shown = stream.isatty()

    def show(self, done: int, note: str) -> None:
        if self._is_shown:
            bar = "#" * (BAR * min(done, self._whole) // (self._whole or 1))
            self._stream.write(f"\r\x1b[K[{bar:<{BAR}}] {note}", ending="")
            self._stream.flush()

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            self._stream.write("\r\x1b[K", ending="")
