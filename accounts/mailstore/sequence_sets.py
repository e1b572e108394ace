"""Sets of UIDs as text, `1:3,7` (RFC 9051 §9, sequence-set), as change rows keep them."""

from collections.abc import Iterable, Iterator

Range = tuple[int, int]


def ranges_of(numbers: Iterable[int]) -> Iterator[Range]:
    """Ascending numbers as inclusive ranges."""
    iterator = iter(numbers)
    try:
        first = last = next(iterator)
    except StopIteration:
        return
    for number in iterator:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def format_set(numbers: Iterable[int]) -> str:
    """Ascending numbers as a sequence-set."""
    return ",".join(
        str(first) if first == last else f"{first}:{last}" for first, last in ranges_of(numbers)
    )


def parse_set(text: str) -> Iterator[Range]:
    """The inclusive ranges of what `format_set` wrote."""
    for part in text.split(",") if text else ():
        first, _, last = part.partition(":")
        yield int(first), int(last or first)


def numbers_of(ranges: Iterable[Range]) -> Iterator[int]:
    """Every number in the ranges."""
    for first, last in ranges:
        yield from range(first, last + 1)
