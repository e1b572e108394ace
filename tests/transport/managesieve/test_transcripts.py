"""Plays tests/transcripts/managesieve/*.txt, which are written like those of IMAP, against a real server.

`@no-login` leaves the login to the transcript, within TLS; `@clear` leaves TLS away.
"""

import base64
from pathlib import Path

import pytest

from tests.transport.imap.test_transcripts import play
from tests.transport.managesieve.conftest import Account, Connect
from tests.transport.managesieve.dialogue import Dialogue

TRANSCRIPTS = sorted((Path(__file__).parents[2] / "transcripts/managesieve").glob("*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path, connect: Connect, account: Account) -> None:
    user, password = account.address, account.password
    text = path.read_text("utf-8")

    def connected(*, login: bool) -> Dialogue:
        return connect(way="clear" if "@clear" in text else "implicit", login=login)

    known = {
        "user": user,
        "plain": base64.b64encode(f"\0{user}\0{password}".encode()).decode(),
        "for_another": base64.b64encode(f"root\0{user}\0{password}".encode()).decode(),
        "plain_size": str(len(base64.b64encode(f"\0{user}\0{password}".encode()))),
        "name_encoded": base64.b64encode(user.encode()).decode(),
        "password_encoded": base64.b64encode(password.encode()).decode(),
        "wrong": base64.b64encode(f"\0{user}\0wrong".encode()).decode(),
    }
    play(text, connected, known)  # type: ignore[arg-type]  it needs no more of them
