"""What Sieve costs in CPU, beside the delivery: compiling, and a run of 30 rules over a usual message.

    python tests/benchmarks/sieve.py

A row a figure: the best of many rounds (what else a machine does can only add), and what it should be at most.
The rules are those that clients write: each looks at some fields and addresses, and files and flags. None fits but
the last, so that all are looked at; the message is new to each run, its header not yet read.
"""

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from routing.sieve.host import Alone, ScriptEnvelope  # noqa: E402
from routing.sieve.language import standard  # noqa: E402
from routing.sieve.lexer import tokens  # noqa: E402
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM  # noqa: E402
from routing.sieve.message import Message  # noqa: E402

MESSAGE = (
    b"Return-Path: <tom@example.com>\r\n"
    + b"".join(
        b"Received: from relay%d.example.com (relay%d.example.com [192.0.2.%d])\r\n"
        b"\tby mx.example.org with ESMTPS id abc%d; Wed, 04 Mar 2026 05:06:07 +0000\r\n"
        % (n, n, n, n)
        for n in range(4)
    )
    + b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=key;\r\n\tb="
    + b"A" * 300
    + b"\r\nFrom: Tom Sawyer <tom@example.com>\r\nTo: Me <me@example.org>, Huck <huck@example.com>\r\n"
    b"Subject: =?utf-8?q?the_fence_=E2=80=93_done?=\r\nMessage-ID: <fence@example.com>\r\n"
    b"Date: Wed, 04 Mar 2026 05:06:07 +0000\r\nList-Id: <fences.example.com>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + b"It is white now.\r\n" * 200
)
ENVELOPE = ScriptEnvelope("tom@example.com", "me@example.org")


def rule(number: int) -> str:
    return f"""# rule:[from the project {number}]
if anyof (header :contains ["subject", "x-topic"] ["word{number}", "other{number}"],
          address :is :domain "from" "host{number}.example",
          header :matches "list-id" "*<list{number}.*>*") {{
    fileinto "Projects/{number}";
    stop;
}}
"""


def script(rules: int) -> bytes:
    last = 'if header :contains "subject" "fence" { fileinto "Fences"; }'
    return ('require ["fileinto"];\n' + "".join(map(rule, range(rules - 1))) + last).encode()


def best(work: Callable[[], object], rounds: int = 30) -> float:
    """CPU in milliseconds."""
    least = float("inf")
    for _ in range(rounds):
        start = process_time()
        work()
        least = min(least, process_time() - start)
    return least * 1000


def memory_of(make: Callable[[], object]) -> int:
    """Octets that what is made keeps."""
    gc.collect()
    tracemalloc.start()
    made = make()
    gc.collect()
    octets = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del made
    return octets


def figures() -> Iterator[tuple[str, float, str, float]]:
    """Name, figure, unit, and what it should be at most."""
    language = standard()
    program = language.compile(script(30))
    host = Alone()

    def runs() -> None:
        for _ in range(20):
            result = program.run(Message(MESSAGE), ENVELOPE, host)
        assert result.error is None
        assert len(result.actions) == 1

    yield "a run of 30 rules", best(runs) / 20, "ms CPU", 0.5
    yield "compiling 30 rules", best(lambda: language.compile(script(30))), "ms CPU", 10
    yield "compiling 300 rules", best(lambda: language.compile(script(300))), "ms CPU", 50
    yield "memory of 300 rules", memory_of(lambda: language.compile(script(300))) / 1e6, "MB", 2
    full = '"a" ' * (SCRIPT_SIZE_MAXIMUM // 4)
    yield "lexing a megabyte of words", best(lambda: list(tokens(full)), 5), "ms CPU", 100
    large = '"' + 'a\\"' * (SCRIPT_SIZE_MAXIMUM // 3) + '"'
    yield "lexing a megabyte in one string", best(lambda: list(tokens(large)), 5), "ms CPU", 100


def main() -> int:
    print("| Sieve | measured | at most |\n|---|---|---|")
    is_good = True
    for name, figure, unit, most in figures():
        print(f"| {name} | {figure:.2f} {unit} | {most:g} {unit} |")
        is_good = is_good and figure <= most
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
