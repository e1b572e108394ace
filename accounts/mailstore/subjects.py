"""The base subject, by which SORT and THREAD compare. RFC 5256 §2.1."""

import re

# subj-blob    = "[" *BLOBCHAR "]" *WSP
# subj-refwd   = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
# subj-leader  = (*subj-blob subj-refwd) / WSP
# subj-trailer = "(fwd)" / WSP
_LEADER = re.compile(r"(?:\[[^\[\]]*+\] *+)*(?:re|fwd?+) *+(?:\[[^\[\]]*+\] *+)?:", re.IGNORECASE)
_BLOB = re.compile(r"\[[^\[\]]*+\] *+")
_FORWARD = re.compile(r"\[fwd:", re.IGNORECASE)
_LIMIT = 500


def base_subject(subject: str) -> tuple[str, bool]:
    """A decoded subject without reply and forward marks, and whether there was one (RFC 5256 §3 REFERENCES).

    The first _LIMIT characters are looked at.
    """
    subject = " ".join(subject.split())[:_LIMIT]
    is_reply = False
    while True:
        subject, is_forward = _without_trailers(subject)
        subject, is_answer = _without_leaders(subject)
        is_reply = is_reply or is_forward or is_answer
        if not (_FORWARD.match(subject) and subject.endswith("]")):
            return subject, is_reply
        subject, is_reply = subject[len("[fwd:") : -1], True


def _without_trailers(subject: str) -> tuple[str, bool]:
    found = False
    while True:
        if subject.endswith(" "):
            subject = subject.rstrip(" ")
        elif subject[-5:].lower() == "(fwd)":
            subject, found = subject[:-5], True
        else:
            return subject, found


def _without_leaders(subject: str) -> tuple[str, bool]:
    found = False
    while True:
        subject = subject.lstrip(" ")
        if leader := _LEADER.match(subject):
            subject, found = subject[leader.end() :], True
        elif (blob := _BLOB.match(subject)) and blob.end() < len(subject):
            subject = subject[blob.end() :]
        else:
            return subject, found
