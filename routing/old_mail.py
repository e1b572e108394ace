"""What a script's result means for a message that is in a folder already: it is filed again, and nothing else. Pure.

Nothing is sent on, answered, refused or told for old mail, and what a script edits is not: a message whose sender
could have been told keeps its place unless the script files it too. `discard` moves to Trash. Flags are added.
"""

from dataclasses import dataclass

from routing.decisions import Target
from routing.sieve.actions import Action, Discard, FileInto, Keep, SetFlags
from routing.sieve.results import Result

TRASH = Target(create=True, special_use="\\Trash")


@dataclass(frozen=True, slots=True)
class Refiling:
    """`stays`, with `flags` added, or goes; to each of the targets, with flags that are added there. `is_discard`: to Trash as nobody wants it.

    `left_undone` are the words of the actions that old mail does not have.
    """

    stays: bool
    flags: tuple[str, ...] = ()
    targets: tuple[tuple[Target, tuple[str, ...]], ...] = ()
    is_discard: bool = False
    left_undone: tuple[str, ...] = ()


def refiling(result: Result, *, is_edited: bool = False) -> Refiling:
    """What becomes of the message."""
    stays = False
    is_discard = False
    flags: tuple[str, ...] = ()
    targets: list[tuple[Target, tuple[str, ...]]] = []
    left_undone: list[str] = ["an edit of the message"] if is_edited else []
    for action in result.actions:
        match action:
            case Keep():
                stays, flags = True, action.flags
            case FileInto():
                target = Target(action.folder, action.create, action.mailbox_id, action.special_use)
                targets.append((target, action.flags))
            case SetFlags():
                stays, flags = True, action.flags
            case Discard():
                is_discard = True
            case _:
                left_undone.append(_word(action))
    is_discard = is_discard and not (targets or stays or left_undone)
    if is_discard:
        targets.append((TRASH, ()))
    stays = stays or not targets
    return Refiling(stays, flags, tuple(targets), is_discard, tuple(left_undone))


def _word(action: Action) -> str:
    """As the script's author calls it."""
    if getattr(action, "extended", False):
        return "ereject"
    return type(action).__name__.lower()
