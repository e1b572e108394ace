"""foreverypart, mime, replace, enclose, extracttext (RFC 5703)."""

from email import message_from_bytes
from email.policy import SMTP

import pytest

from routing.sieve.actions import FileInto, Keep, Redirect
from routing.sieve.parts import REPLACEMENTS_MAXIMUM
from tests.routing.sieve.scripts import actions_of, errors_of, is_true, result_of

REQUIRE = (
    'require ["foreverypart", "mime", "variables", "fileinto", "replace", "enclose",'
    ' "extracttext", "index", "copy", "relational", "editheader"];\n'
)
MESSAGE = b"""\
From: Hendrik <hendrik@example.com>
To: me@example.org
Subject: parts
Content-Type: multipart/mixed; boundary=AA
X-Test: AA

--AA
Content-Type: multipart/alternative; boundary=BB
X-Test: BB

--BB
Content-Type: text/plain; charset="iso-8859-1"
X-Test: CC

Hello caf\xe9
--BB
Content-Type: text/html; charset="us-ascii"
X-Test: DD

<p>Hello <b>again</b></p>
--BB--
--AA
Content-Type: application/octet-stream; name="run.exe"
Content-Disposition: attachment; filename="run.exe"; size=3
X-Test: EE

MZ!
--AA--
""".replace(b"\n", b"\r\n")


def gathered(block: str) -> str:
    """What a loop gathers in the variable `a`."""
    script = f'{REQUIRE}{block} fileinto "F${{a}}";'
    action = actions_of(script, MESSAGE)[-1]
    assert isinstance(action, FileInto)
    return action.folder[1:]


TELL = 'if header :mime :matches "X-Test" "*" { set "a" "${a}.${1}"; }'


def test_a_loop_is_over_all_parts_in_their_order() -> None:
    assert gathered(f"foreverypart {{ {TELL} }}") == ".AA.BB.CC.DD.EE"


def test_a_loop_within_is_over_what_the_part_holds() -> None:
    block = (
        f'foreverypart {{ {TELL} set "a" "${{a}}("; foreverypart {{ {TELL} }} set "a" "${{a}})"; }}'
    )
    assert gathered(block) == ".AA(.BB.CC.DD.EE).BB(.CC.DD).CC().DD().EE()"


def test_breaks() -> None:
    stop = 'if header :mime "X-Test" "CC" { break; }'
    assert gathered(f"foreverypart {{ {TELL} {stop} }}") == ".AA.BB.CC"
    outer = 'if header :mime "X-Test" "CC" { break :name "outer"; }'
    block = f'foreverypart :name "outer" {{ foreverypart {{ {TELL} {outer} }} }}'
    assert gathered(block) == ".BB.CC"


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ('header :mime "X-Test" "AA"', True),
        ('header :mime "X-Test" "CC"', False),
        ('header :mime :anychild "X-Test" "CC"', True),
        ('header :anychild :mime :type "Content-Type" "application"', True),
        ('header :mime :anychild :subtype "Content-Type" "html"', True),
        ('header :mime :contenttype "Content-Type" "multipart/mixed"', True),
        ('header :mime :anychild :contenttype "Content-Disposition" "attachment"', True),
        ('header :mime :anychild :param ["filename", "size"] "Content-Disposition" "3"', True),
        ('header :mime :anychild :param "filename" :matches "Content-Disposition" "*.exe"', True),
        ('header :mime :type "Subject" ""', True),
        ('header :mime :anychild :count "eq" "X-Test" "5"', True),
        ('header :index 2 :mime :anychild "X-Test" "BB"', True),
        ('exists :mime :anychild "Content-Disposition"', True),
        ('exists :mime "Content-Disposition"', False),
        ('address :mime :anychild :domain "From" "example.com"', True),
        ('address :mime :is :all "content-from" "tim@example.com"', False),
    ],
)
def test_headers_of_parts(test: str, holds: bool) -> None:
    require = ("mime", "index", "relational")
    assert is_true(test, MESSAGE, require=require) is holds


def test_texts_of_parts() -> None:
    block = 'foreverypart { extracttext :first 10 :upper "t"; set "a" "${a}|${t}"; }'
    assert gathered(block) == "|||HELLO CAFé|HELLO AGAI|"


def test_a_part_is_replaced() -> None:
    script = (
        f'{REQUIRE}foreverypart {{ if header :mime :param "filename" :matches "Content-Disposition"'
        ' "*.exe" { replace "removed: ü"; } } if header :mime :anychild "X-Test" "EE" { discard; }'
    )
    result = result_of(script, MESSAGE)
    assert result.error is None
    assert result.keeps_implicitly
    parsed = message_from_bytes(result.message.content, policy=SMTP)
    leaves = [part for part in parsed.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in leaves] == ["text/plain", "text/html", "text/plain"]
    assert leaves[2].get_content() == "removed: ü"
    assert parsed["Subject"] == "parts"


def test_what_a_replaced_part_held_is_not_visited() -> None:
    block = (
        f'foreverypart {{ {TELL} if header :mime "X-Test" "BB" '
        '{ replace :mime "X-Test: NEW\r\n\r\ntext"; } }'
    )
    assert gathered(block) == ".AA.BB.EE"


def test_the_whole_message_is_replaced() -> None:
    script = f'{REQUIRE}replace :subject "Grüße" :from "me@example.org" "All gone";'
    parsed = message_from_bytes(result_of(script, MESSAGE).message.content, policy=SMTP)
    assert parsed["Subject"] == "Grüße"
    assert parsed["Original-Subject"] == "parts"
    assert parsed["Original-From"] == "Hendrik <hendrik@example.com>"
    assert parsed["From"] == "me@example.org"
    assert parsed.get_content() == "All gone\r\n"
    assert parsed["To"] == "me@example.org"


def test_a_message_is_enclosed() -> None:
    script = (
        f'{REQUIRE}enclose :subject "Look" :headers ["To", "X-Test"] "See below";'
        'redirect :copy "else@example.net";'
    )
    result = result_of(script, MESSAGE)
    parsed = message_from_bytes(result.message.content, policy=SMTP)
    assert (parsed["Subject"], parsed["From"]) == ("Look", "me@example.org")
    assert (parsed["To"], parsed["X-Test"]) == ("me@example.org", "AA")
    text, attached = parsed.iter_parts()  # type: ignore[attr-defined]
    assert text.get_content() == "See below\r\n"
    assert attached.get_content()["Subject"] == "parts"
    assert result.actions == (Redirect("else@example.net", copy=True), Keep(implicit=True))
    assert result.message_of(0).content == MESSAGE
    assert result.message_of(1).content == result.message.content


def test_a_message_is_enclosed_as_often_as_it_is_asked_for() -> None:
    script = f'{REQUIRE}enclose "first"; enclose "second"; redirect :copy "else@example.net";'
    result = result_of(script, MESSAGE)
    outer = message_from_bytes(result.message.content, policy=SMTP)
    middle = list(outer.iter_parts())[1].get_content()  # type: ignore[attr-defined]
    inner = list(middle.iter_parts())[1].get_content()
    assert [one["Subject"] for one in (outer, middle, inner)] == ["parts"] * 3
    assert inner["X-Test"] == "AA"
    assert result.message_of(0).content == MESSAGE


def test_a_loop_goes_on_in_the_enclosed_message() -> None:
    block = (
        f'foreverypart {{ {TELL} if header :mime "X-Test" ["BB", "DD"] {{ enclose "e"; }}'
        ' if header :mime "X-Test" "CC" { addheader "X" "y"; } }'
    )
    assert gathered(block) == ".AA.BB.CC.DD.EE"


def test_a_replacement_is_looked_at_by_loops_that_begin_later() -> None:
    new = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nX-Test: N\r\n\r\na\r\n--x--"
    block = (
        f'foreverypart {{ {TELL} if header :mime "X-Test" "BB" {{ replace :mime "{new}";'
        f" foreverypart {{ {TELL} }} }} }} foreverypart {{ {TELL} }}"
    )
    assert gathered(block) == ".AA.BB.N.EE.AA.N.EE"


def test_a_replacement_cannot_end_the_multipart_around_it() -> None:
    block = 'foreverypart { if header :mime "X-Test" "CC" { replace "a\r\n--BB--\r\n--AA--"; } }'
    result = result_of(REQUIRE + block, MESSAGE)
    leaves = [
        p
        for p in message_from_bytes(result.message.content, policy=SMTP).walk()
        if not p.is_multipart()
    ]
    assert [leaf["X-Test"] for leaf in leaves] == [None, "DD", "EE"]
    assert leaves[0].get_content() == "a\r\n--BB--\r\n--AA--"


def test_an_enclosed_message_that_is_replaced_keeps_its_header() -> None:
    block = (
        'enclose "e"; foreverypart { if allof(header :mime "X-Test" "AA",'
        ' header :mime :type "Content-Type" "multipart") { replace "gone"; } }'
    )
    result = result_of(REQUIRE + block, MESSAGE)
    assert result.error is None
    outer = message_from_bytes(result.message.content, policy=SMTP)
    inner = list(outer.iter_parts())[1].get_content()  # type: ignore[attr-defined]
    assert (inner["Subject"], inner["X-Test"], inner.get_content_type()) == (
        "parts",
        "AA",
        "text/plain",
    )
    assert inner.get_content().strip() == "gone"


def test_original_subject_cannot_be_removed() -> None:
    script = (
        REQUIRE
        + 'replace :subject "new" "x"; deleteheader "Original-Subject"; addheader "Original-From" "y";'
    )
    parsed = message_from_bytes(result_of(script, MESSAGE).message.content, policy=SMTP)
    assert parsed["Original-Subject"] == "parts"
    assert parsed["Original-From"] is None


def test_parts_stay_where_they_are_when_the_header_is_edited() -> None:
    """RFC 5293 §7 allows that; the field itself is gone for tests of the whole message."""
    block = (
        f'foreverypart {{ {TELL} if header :mime "X-Test" "AA" {{ deleteheader "Content-Type"; addheader "X-Test" "new"; }}'
        ' if header :mime "X-Test" "EE" { replace "gone"; } }'
        ' if exists :mime "Content-Type" { set "a" "wrong"; }'
        ' if header :mime :anychild "X-Test" "new" { set "a" "${a}."; }'
    )
    assert gathered(block) == ".AA.BB.CC.DD.EE."
    content = result_of(REQUIRE + block, MESSAGE).message.content
    assert content.startswith(b"X-Test: new\r\nFrom: Hendrik")
    assert b"\r\n\r\ngone\r\n--AA--" in content


@pytest.mark.parametrize(
    "script",
    ['break :name "x";', 'foreverypart { break :name "x"; }', 'foreverypart :name "y" { foreverypart { break :name "x"; } }',
     'replace :mime :subject "a" "b";', 'replace :mime :from "a@b.example" "b";', 'replace :from "nobody" "b";',
     'foreverypart :name "x" { stop; } foreverypart { break :name "x"; }',
     "break;", 'header :mime "a" "b";', 'if header :anychild "a" "b" { keep; }',
     'if header :type "a" "b" { keep; }', 'extracttext "1";', 'foreverypart :name "${a}" { stop; }',
     'if header :mime :type :subtype "a" "b" { keep; }'],
)  # fmt: skip
def test_errors(script: str) -> None:
    assert errors_of(REQUIRE + script)


def test_extracttext_needs_a_part() -> None:
    assert "foreverypart" in str(result_of(f'{REQUIRE}extracttext "a";').error)


def test_replacing_has_a_bound() -> None:
    result = result_of(REQUIRE + 'replace "a";' * (REPLACEMENTS_MAXIMUM + 1), MESSAGE)
    assert result.error is not None
    assert result.message.content == MESSAGE
