"""The checker itself: what the RFCs' examples send is legal, and near misses are not."""

import pytest

from tests.transport.imap.conversation import Contradiction, Conversation
from tests.transport.imap.grammar.responses import IllegalResponse, ResponseChecker

PLAIN = b'"TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23'
ENVELOPE = (
    b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" '
    b'(("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) '
    b'(("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) '
    b'((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL '
    b'"<B27397-0100000@cac.washington.ed>")'
)

LEGAL = (
    b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN LITERAL+] ready",
    b"* BYE [UNAVAILABLE] later",
    b"+ ",
    b"+ dGVzdA==",
    b"+ idling",
    b"* FLAGS (\\Answered \\Seen $Forwarded)",
    b"* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited",
    b"* OK [HIGHESTMODSEQ 715194045007] Ok",
    b"* 172 EXISTS",
    b"* 0 RECENT",
    b'* LIST (\\Noselect) "/" ""',
    b'* LIST (\\HasNoChildren \\Sent) "/" {4}\r\nSent',
    b'* LIST (\\NonExistent) "/" Foo ("CHILDINFO" ("SUBSCRIBED"))',
    b'* LIST () "/" NewName ("OLDNAME" ("Old name"))',
    b"* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 SIZE 9223372036854775807)",
    b"* STATUS INBOX (MAILBOXID (F2212ea87-6097-4256-9d51-71338625) APPENDLIMIT NIL HIGHESTMODSEQ 0)",
    b'* NAMESPACE (("" "/")) NIL (("Shared/" "/"))',
    b"* SEARCH",
    b"* SEARCH 2 5 6 (MODSEQ 917162500)",
    b'* ESEARCH (TAG "A282") MIN 2 COUNT 3',
    b'* ESEARCH (TAG "a") UID PARTIAL (-1:-100 NIL)',
    b'* ESEARCH (TAG "a") ALL 1,3:5 MODSEQ 917162500',
    b"* SORT 5 3 4 1 2",
    b"* THREAD (166)(167)(168)(169)(172)((170)(179))(3 6 (4 23)(44 7 96))",
    b"* 12 FETCH (FLAGS (\\Seen \\Recent) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4286)",
    b"* 12 FETCH (ENVELOPE " + ENVELOPE + b" BODY (" + PLAIN + b"))",
    b"* 1 FETCH (BODYSTRUCTURE ((" + PLAIN + b' NIL NIL "EN")(' + PLAIN + b') "MIXED" ("BOUNDARY" "x") NIL NIL))',
    b'* 1 FETCH (BODY ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 50 ' + ENVELOPE + b" (" + PLAIN + b") 9))",
    b'* 1 FETCH (BODY[1.2.HEADER.FIELDS (DATE "X Y")]<0> {3}\r\nabc BODY[] "")',
    b"* 1 FETCH (BINARY[1]<4> ~{3}\r\na\0b BINARY.SIZE[1] 3)",
    b"* 1 FETCH (MODSEQ (624140003) EMAILID (M6d99ac3275bb4e) THREADID NIL SAVEDATE NIL PREVIEW {2}\r\nHi)",
    b"* 25996 UIDFETCH (FLAGS (\\Seen))",
    b"* VANISHED (EARLIER) 41,43:116,118",
    b"* 44 EXPUNGE",
    b"A003 OK [COPYUID 38505 304,319:320 3956:3958] Done",
    b"A003 OK [MODIFIED 7,9] Conditional STORE failed",
    b'* OK [INPROGRESS ("A001" 1000 2000)] Still busy',
    b"* QUOTA \"\" (STORAGE 10 512)",
    b"* ACL INBOX Fred rwipsldexta",
    b'* LISTRIGHTS INBOX "ann@x.test" "" l r s',
    b'* METADATA INBOX (/private/comment "My own comment" /shared/x NIL)',
    b"* METADATA \"\" /shared/comment",
    b'* ID ("name" "Mailsite" "version" NIL)',
    b"* ENABLED",
)  # fmt: skip
ILLEGAL = (
    b"* OK",
    b"*  OK two spaces",
    b"* OK [CAPABILITY LITERAL+] no protocol",
    b"* OK [UNHEARDOF] a code of no RFC",
    b"* OK [READ-WRITE]",
    b"a MAYBE so",
    b"a+ OK a tag with a plus",
    b"+ONE",
    b"* 1 FETCH ()",
    b"* 0 FETCH (UID 1)",
    b"* 1 FETCH (UID 01)",
    b"* 1 FETCH (UID 4300000000)",
    b"* 1 FETCH (FLAGS (\\Seen  x))",
    b"* 1 FETCH (FLAGS (\\Unheard))",
    b'* 1 FETCH (INTERNALDATE "1-Jul-1996 02:44:25 -0700")',
    b"* 1 FETCH (ENVELOPE (NIL NIL () NIL NIL NIL NIL NIL NIL NIL))",
    b'* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL "a" "b") (NIL NIL "c" "d")) NIL NIL NIL NIL NIL NIL NIL))',
    b"* 1 FETCH (BODY (" + PLAIN + b" NIL))",
    b'* 1 FETCH (BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5))',
    b'* 1 FETCH (BODYSTRUCTURE ("TEXT" "PLAIN" () NIL NIL "7BIT" 5 1))',
    b"* 1 FETCH (BODY[] {3}\r\na\0b)",
    b'* 1 FETCH (PREVIEW "a\\b")',
    b'* 1 FETCH (PREVIEW "\xc3\xa4")',
    b"* OK caf\xc3\xa9",
    b"* LIST () / INBOX",
    b'* LIST (\\Spam) "/" Spam',
    b'* LIST () "/" R&D*',
    b"* SEARCH ",
    b"* SEARCH 1  2",
    b"* ESEARCH (TAG a) COUNT 1",
    b'* ESEARCH (TAG "a") ALL',
    b"* THREAD (1 2)(3",
    b"* VANISHED",
    b"* STATUS INBOX (UIDVALIDITY 0)",
    b"* ACL INBOX Fred RW",
)


@pytest.mark.parametrize("response", LEGAL)
def test_legal(response: bytes) -> None:
    ResponseChecker().check(response + b"\r\n")


@pytest.mark.parametrize("response", ILLEGAL)
def test_illegal(response: bytes) -> None:
    with pytest.raises(IllegalResponse):
        ResponseChecker().check(response + b"\r\n")


def test_the_error_shows_where() -> None:
    with pytest.raises(IllegalResponse, match="SEARCH 1 ' is legal, but not then b'x 2"):
        ResponseChecker().check(b"* SEARCH 1 x 2\r\n")


def test_utf8_is_legal_once_enabled_and_broken_utf8_never() -> None:
    checker = ResponseChecker()
    checker.check(b"* ENABLED UTF8=ACCEPT\r\n")
    checker.check('* LIST () "/" "Größe"\r\n'.encode())
    with pytest.raises(IllegalResponse):
        checker.check(b'* LIST () "/" "Gr\xf6\xdfe"\r\n')


@pytest.mark.parametrize(
    "told",
    [
        b"* 3 EXISTS\r\n* 2 EXISTS\r\n",
        b"* 3 EXISTS\r\n* 4 EXPUNGE\r\n",
        b"* 3 EXISTS\r\n* 1 EXPUNGE\r\n* 3 FETCH (UID 3)\r\n",
        b"x OK a tag that nobody sent\r\n",
    ],
)
def test_contradictions(told: bytes) -> None:
    with pytest.raises(Contradiction):
        Conversation().server_said(told)


def test_nothing_vanishes_while_numbers_count() -> None:
    conversation = Conversation()
    conversation.server_said(b"* 3 EXISTS\r\n")
    conversation.client_said(b"a UID FETCH 1:* FLAGS\r\n")
    conversation.server_said(b"* 1 EXPUNGE\r\na OK done\r\n")
    conversation.client_said(b"b FETCH 1:* FLAGS\r\n")
    with pytest.raises(Contradiction):
        conversation.server_said(b"* 1 EXPUNGE\r\n")
