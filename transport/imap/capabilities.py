"""What is advertised: only what works completely (RFC 9051 §7.2.2). Pure."""

from transport.imap.states import State

ALWAYS = b"IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE"
BEFORE_LOGIN = b"AUTH=SCRAM-SHA-256 AUTH=PLAIN"
AFTER_LOGIN = (
    b"IDLE",
    b"UIDPLUS",
    b"MOVE",
    b"SPECIAL-USE",
    b"NAMESPACE",
    b"NOTIFY",
    b"ACL",
    b"RIGHTS=texk",
    b"LIST-MYRIGHTS",
    b"INPROGRESS",
    b"UIDONLY",
    b"UNAUTHENTICATE",
    b"UNSELECT",
    b"UTF8=ACCEPT",
    b"CHILDREN",
    b"LIST-EXTENDED",
    b"LIST-STATUS",
    b"CREATE-SPECIAL-USE",
    b"METADATA",
    b"QUOTA",
    b"QUOTASET",
    b"QUOTA=RES-STORAGE",
    b"QUOTA=RES-MESSAGE",
    b"COMPRESS=DEFLATE",
    b"CONDSTORE",
    b"QRESYNC",
    b"STATUS=SIZE",
    b"ESEARCH",
    b"ESORT",
    b"SEARCHRES",
    b"SEARCH=FUZZY",
    b"SORT",
    b"SORT=DISPLAY",
    b"THREAD=ORDEREDSUBJECT",
    b"THREAD=REFERENCES",
    b"WITHIN",
    b"BINARY",
    b"MULTIAPPEND",
    b"OBJECTID",
    b"PARTIAL",
    b"PREVIEW",
    b"REPLACE",
    b"SAVEDATE",
)
"""One word a line: what is added at the same time is not in each other's way."""
ENABLEABLE = {
    name.upper(): name for name in ("CONDSTORE", "IMAP4rev2", "QRESYNC", "UIDONLY", "UTF8=ACCEPT")
}


def capabilities(state: State, append_limit: int, sieve_url: bytes) -> bytes:
    """The capabilities in this state, without the word CAPABILITY.

    `append_limit` is the largest message that APPEND takes, in every folder (RFC 7889 §2). `sieve_url` is the server
    whose scripts follow IMAP commands (RFC 6785 §2.1).
    All stand there before the login too: some clients never ask again.
    """
    words = [ALWAYS, *AFTER_LOGIN, b"APPENDLIMIT=%d" % append_limit]
    words.append(b"IMAPSIEVE=" + sieve_url)
    if state is State.NOT_AUTHENTICATED:
        words.insert(1, BEFORE_LOGIN)
    return b" ".join(words)
