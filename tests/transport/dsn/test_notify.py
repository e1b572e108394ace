"""Who wants which notification."""

import pytest

from transport.dsn.notify import is_wanted
from transport.dsn.report import Action


@pytest.mark.parametrize(
    ("action", "notify", "wanted"),
    [
        (Action.FAILED, "", True),
        (Action.DELAYED, "", True),
        (Action.DELIVERED, "", False),
        (Action.RELAYED, "success,failure", True),
        (Action.EXPANDED, "SUCCESS", True),
        (Action.FAILED, "SUCCESS", False),
        (Action.FAILED, "NEVER", False),
    ],
)
def test_notify(action: Action, notify: str, wanted: bool) -> None:
    assert is_wanted(action, notify, "a@b.test") is wanted
    assert not is_wanted(action, notify, "")
