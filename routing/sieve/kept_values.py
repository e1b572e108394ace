"""What the tests of a script look at is kept with the message: thirty rules ask for the same few fields."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from routing.sieve.calls import message_fields
from routing.sieve.language import FieldSource
from routing.sieve.matching import COMPARISON_COST
from routing.sieve.texts import Text, constants

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


def key_of_values(
    names: tuple[Text, ...], fields: FieldSource, what: Hashable | None = None
) -> Hashable | None:
    """Under which the values of these fields are kept. None: names that a run makes, fields found another way."""
    if fields is not message_fields or constants(names) is None:
        return None
    return names if what is None else (names, what)


def kept_values(run: "Run", key: Hashable | None, find: Callable[["Run"], list[str]]) -> list[str]:
    """The values, found once a message; to look at them again is work as well."""
    if key is None:
        return find(run)
    values = run.message.values.get(key)
    if values is None:
        values = run.message.values[key] = find(run)
    else:
        run.look_at(len(values) * COMPARISON_COST)
    return values
