"""What a dry run tells: every step with its values, all errors with their places, and nothing that a terminal obeys."""

from typing import Any

from routing.dry_run.report import Role, error_report, outcome, trace_report
from routing.dry_run.running import dry_run, likely_envelope, with_crlf
from routing.sieve.actions import Action, FileInto, Keep, Notify, Redirect, Reject, Vacation
from routing.sieve.host import Alone, ScriptEnvelope
from routing.sieve.message import Message
from routing.sieve.trace import LINES_MAXIMUM, MISSES_MAXIMUM
from routing.sieve.wording import in_words

MESSAGE = b"From: Ann <ann@example.org>\nTo: bob@example.com\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= django\n\nhello\n"


def run(script: str, message: bytes = MESSAGE) -> Any:
    return dry_run(script.encode(), mail(message), envelope(message), Alone())


def mail(content: bytes) -> Message:
    return Message(with_crlf(content))


def envelope(content: bytes, sender: str | None = None, to: str | None = None) -> ScriptEnvelope:
    return likely_envelope(mail(content), sender, to)


def told(script: str, message: bytes = MESSAGE) -> str:
    return "\n".join(text for _, text in trace_report(run(script, message)))


def test_each_line_that_runs_is_told_with_its_tests_and_values() -> None:
    script = (
        'require ["fileinto", "envelope"];\r\n'
        'if anyof(header :contains "subject" ["lunch", "DJANGO"],\r\n'
        '         size :over 1M) {\r\n'
        '    fileinto "Lists/django";\r\n'
        "} else {\r\n"
        "    discard;\r\n"
        "}\r\n"
        'if not exists "x-spam" { keep; }\r\n'
    )  # fmt: skip
    assert told(script).splitlines() == [
        '   1 | require ["fileinto", "envelope"];',
        '   2 | if anyof(header :contains "subject" ["lunch", "DJANGO"],',
        "       anyof is true",
        "         header is true",
        '           "Grüße django" does not fit "lunch"',
        '           "Grüße django" fits "DJANGO"',
        '   4 |     fileinto "Lists/django";',
        '       -> file into "Lists/django"',
        "   5 | } else {",
        "       passed over: a branch before it was taken",
        '   8 | if not exists "x-spam" { keep; }',
        "       not is true",
        "         exists is false",
        '           there is no "x-spam"',
        "       -> keep: into INBOX",
    ]


def test_a_test_that_finds_nothing_says_so() -> None:
    assert "there is nothing to compare" in told('if header "x-none" "a" { stop; }')
    assert f"the message has {len(with_crlf(MESSAGE))} octets" in told("if size :over 1K { stop; }")


def test_a_run_time_error_is_told_at_its_place_and_the_message_is_kept() -> None:
    script = "".join(f'redirect "u{number}@example.org";\n' for number in range(5))
    tried = run(script)
    assert [str(error) for error in tried.errors] == [
        "line 5, column 1: a message is redirected 4 times at most"
    ]
    assert told(script).endswith("error: a message is redirected 4 times at most")
    lines = list(outcome(tried, tried.result.message))
    assert lines[0][0] is Role.ERROR
    assert lines[1:] == [(Role.ACTION, "implicit keep: into INBOX")]


def test_all_errors_are_told_with_a_caret_below_each() -> None:
    script = 'require "fileinto";\n\tfilinto "x";\nif header :contains "a" { keep; }\n'
    tried = run(script)
    assert tried.result is None
    lines = [text for _, text in error_report("my.sieve", tried.text, tried.errors)]
    assert lines == [
        "my.sieve:2:2: this server knows no command 'filinto'",
        '    \tfilinto "x";',
        "    \t^",
        "my.sieve:3:4: 'header' takes 2 arguments, not 1",
        '    if header :contains "a" { keep; }',
        "       ^",
    ]


def test_the_caret_stands_below_wide_characters_and_in_long_lines() -> None:
    wide = '/* 日本 */ nonsense;'  # fmt: skip
    tried = run(wide)
    lines = [text for _, text in error_report("w", tried.text, tried.errors)]
    assert lines[2] == " " * (4 + len("/* ") + 4 + len(" */ ")) + "^"
    long = f"/* {'x' * 5000} */ nonsense;"
    tried = run(long)
    lines = [text for _, text in error_report("w", tried.text, tried.errors)]
    assert len(lines[1]) < 120
    assert lines[1][len(lines[2]) - 1 :].startswith("nonsense")


def test_what_is_no_utf8_has_its_error_at_its_line() -> None:
    tried = dry_run(b"keep;\nstop; # \xff", mail(MESSAGE), ScriptEnvelope(), Alone())
    assert [(error.line, error.column) for error in tried.errors] == [(2, 9)]
    assert list(error_report("x", tried.text, tried.errors))


def test_nothing_reaches_the_terminal_that_it_would_obey() -> None:
    message = b"Subject: \x1b[31mred\x07 \xff\xfe \xe2\x80\xae\n\nx\n"
    text = told('if header :contains "subject" "red" { keep; }', message)
    assert all(line.isprintable() for line in text.splitlines())
    assert "\\x1b[31mred\\x07" in text
    assert "\x1b" not in told("keep; # \x1b[31m")


def test_a_trace_is_bounded() -> None:
    keys = ", ".join(f'"k{number}"' for number in range(500))
    tried = run(f'if header "subject" [{keys}, "Grüße django"] {{ stop; }}')
    lines = [line.text for line in tried.trace.lines]
    assert sum("does not fit" in line for line in lines) == MISSES_MAXIMUM
    assert any("and so on" in line for line in lines)
    assert '"Grüße django" fits "Grüße django"' in lines
    assert max(map(len, (line.text for line in run(
        'if header :contains "subject" "a" { stop; }', b"Subject: " + b"a" * 100_000 + b"\n\nx\n"
    ).trace.lines))) < 1000  # fmt: skip
    many = run("if true { stop; }\n".replace("stop", "keep") * 4000)
    assert len(many.trace.lines) == LINES_MAXIMUM
    assert list(trace_report(many))[-1][1].endswith("(the trace is longer than what is kept of it)")


def test_the_envelope_is_the_given_one_or_that_of_the_message() -> None:
    delivered = b"Return-Path: <bounce@example.net>\nDelivered-To: me@example.com\n" + MESSAGE
    assert envelope(delivered) == ScriptEnvelope("bounce@example.net", "me@example.com")
    assert envelope(MESSAGE) == ScriptEnvelope("ann@example.org", "bob@example.com")
    assert envelope(b"Return-Path: <>\n" + MESSAGE).sender == ""
    assert envelope(delivered, "", "x@example.org") == ScriptEnvelope("", "x@example.org")
    assert envelope(b"") == ScriptEnvelope("", "")


def test_actions_in_words() -> None:
    class Own(Action):
        def in_words(self) -> str:
            return "do what I\x1b say"

    expected: dict[Action, str] = {
        Keep(implicit=True): "implicit keep: into INBOX",
        Keep(flags=("\\Seen", "x")): "keep: into INBOX with \\Seen x",
        FileInto("Lists/django", ("\\Flagged",)): 'file into "Lists/django" with \\Flagged',
        FileInto("a", copy=True, create=True): 'file a copy into "a" (made if it is missing)',
        FileInto("a", special_use="\\Junk"): 'file into the folder for \\Junk, else "a"',
        FileInto("a", mailbox_id="F1"): 'file into the folder with the id F1, else "a"',
        Redirect("a@b", copy=True): "redirect a copy to a@b",
        Reject("no\nthanks"): 'reject with the text "no\\nthanks"',
        Reject("no", extended=True): 'refuse (ereject) with the text "no"',
        Vacation("gone", "me@x"): 'answer the sender as me@x: "gone"',
        Notify("mailto:a@b", "new"): 'notify "mailto:a@b": "new"',
        Own(): "do what I\\x1b say",
    }
    assert {action: in_words(action) for action in expected} == expected
