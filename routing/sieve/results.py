"""What one run of a script, or of several in a row, came to."""

from dataclasses import dataclass, field

from routing.sieve.actions import Action, Keep, Memory
from routing.sieve.errors import ScriptError
from routing.sieve.message import Message


@dataclass(frozen=True, slots=True)
class Result:
    """`actions` are to be carried out in order; the implicit keep is the last of them where it holds.

    `error`: the script failed there, none of its own actions are done, and the message is kept (RFC 5228 §2.10.6).
    `message` is another one than was given where the script edited it (RFC 5293, RFC 5703).
    `memories` are kept in the transaction of the delivery. `messages`: the message as it was when each action was asked
    for, where they are told: an edit changes what is stored and sent after it, not before (RFC 5293 §7).
    """

    message: Message
    actions: tuple[Action, ...]
    error: ScriptError | None = None
    memories: tuple[Memory, ...] = ()
    messages: tuple[Message, ...] = field(default=(), compare=False, repr=False)

    def message_of(self, index: int) -> Message:
        """The message that an action is about, by the action's place."""
        return self.messages[index] if self.messages else self.message

    @property
    def keeps_implicitly(self) -> bool:
        """Whether the next script has a say."""
        last = self.actions[-1] if self.actions else None
        return isinstance(last, Keep) and last.implicit
