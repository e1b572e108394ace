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


def base_subject(subject: str) -> str:
    """A decoded subject without reply and forward marks; the first _LIMIT characters are looked at."""
    subject = " ".join(subject.split())[:_LIMIT]
    while True:
        subject = _without_leaders(_without_trailers(subject))
        if not (_FORWARD.match(subject) and subject.endswith("]")):
            return subject
        subject = subject[len("[fwd:") : -1]


def _without_trailers(subject: str) -> str:
    while True:
        if subject.endswith(" "):
            subject = subject.rstrip(" ")
        elif subject[-5:].lower() == "(fwd)":
            subject = subject[:-5]
        else:
            return subject


def _without_leaders(subject: str) -> str:
    while True:
        subject = subject.lstrip(" ")
        if leader := _LEADER.match(subject):
            subject = subject[leader.end() :]
        elif (blob := _BLOB.match(subject)) and blob.end() < len(subject):
            subject = subject[blob.end() :]
        else:
            return subject
