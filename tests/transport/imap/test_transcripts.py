"""Plays tests/transcripts/*.txt against a real server.

A line `C: …` is sent, `S: …` is expected; `C2:` and `S2:` are a second connection, and so on. `#` begins a comment.
`${name}` stands for a value: known ones are put in, an unknown one in an `S:` line is captured up to the next space or
bracket. `...` matches anything, `\\r\\n` is a line's end within a literal (in `C:` lines too), and `S: <closed>` is the end of the connection.
`@no-login` leaves the login to the transcript. `${user}` and `${password}` are given, `${colleague}` of the same domain
with the same password, and so are the SASL PLAIN responses
`${plain}` and `${for_another}`.
"""

import base64
import difflib
import re
from pathlib import Path

import pytest

from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.dialogue import Dialogue

TRANSCRIPTS = sorted((Path(__file__).parents[2] / "transcripts").glob("*.txt"))
_LINE = re.compile(r"([CS])([0-9]*): ?(.*)")
_MARK = re.compile(r"\$\{(\w+)\}|(\.\.\.)|(\\r\\n)")


def expectation(pattern: str, known: dict[str, str]) -> re.Pattern[str]:
    """The regex that an expected line means."""
    regex, position = "", 0
    for mark in _MARK.finditer(pattern):
        regex += re.escape(pattern[position : mark.start()])
        position = mark.end()
        if mark[2]:
            regex += ".*"
        elif mark[3]:
            regex += "\r\n"
        elif mark[1] in known:
            regex += re.escape(known[mark[1]])
        else:
            regex += rf"(?P<{mark[1]}>[^ \])]+)"
    return re.compile(regex + re.escape(pattern[position:]), re.DOTALL)


def fill(text: str, known: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda mark: known[mark[1]], text)


def play(text: str, connect: Connect, known: dict[str, str]) -> None:
    login = "@no-login" not in text
    sessions: dict[str, Dialogue] = {}
    said: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            assert not line.strip() or line[0] in "#@", f"line {number}: {line}"
            continue
        who, session, words = match.groups()
        if session not in sessions:
            sessions[session] = connect(login=login)
        if who == "C":
            said.append(f"C{session}: {fill(words, known)}")
            words = fill(words, known).replace("\\r\\n", "\r\n")
            sessions[session].send(words.encode() + b"\r\n")
            continue
        got = sessions[session].response().decode("utf-8", "replace")
        got = got.removesuffix("\r\n") if got else "<closed>"
        found = expectation(words, known).fullmatch(got)
        if found is None:
            shown = got.replace("\r\n", "\\r\\n")
            diff = "\n".join(difflib.ndiff([fill_known(words, known)], [shown]))
            pytest.fail(f"line {number}:\n" + "\n".join(said[-30:]) + f"\n{diff}", pytrace=False)
        known |= found.groupdict()
        said.append(f"S{session}: {got}")


def fill_known(text: str, known: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda mark: known.get(mark[1], mark[0]), text)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path, connect: Connect, account: Account, colleague: Account) -> None:
    user, password = account.address, account.password
    known = {
        "nul": "\0",
        "user": user,
        "password": password,
        "colleague": colleague.address,
        "plain": base64.b64encode(f"\0{user}\0{password}".encode()).decode(),
        "for_another": base64.b64encode(f"root\0{user}\0{password}".encode()).decode(),
    }
    play(path.read_text("utf-8"), connect, known)


def test_a_transcript_that_does_not_hold_fails(connect: Connect, account: Account) -> None:
    with pytest.raises(pytest.fail.Exception):
        play("C: a NOOP\nS: a NO ...\n", connect, {})
