"""Which notifications a sender wants (RFC 3461 §4.1). Pure."""

from transport.dsn.report import Action

# Without NOTIFY a failure is reported, and a delay may be (RFC 3461 §4.1).
_UNASKED = frozenset({Action.FAILED, Action.DELAYED})
_ASKED_BY = {
    Action.FAILED: "FAILURE",
    Action.DELAYED: "DELAY",
    Action.DELIVERED: "SUCCESS",
    Action.RELAYED: "SUCCESS",
    Action.EXPANDED: "SUCCESS",
}


def is_wanted(action: Action, notify: str, reverse_path: str) -> bool:
    """Whether a DSN of this action may go out; nothing ever goes to the null reverse-path (RFC 5321 §4.5.5)."""
    if not reverse_path:
        return False
    if not notify:
        return action in _UNASKED
    return _ASKED_BY[action] in notify.upper().split(",")
