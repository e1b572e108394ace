"""Encoded words of header fields (RFC 2047, RFC 2231 §5) to text."""


def decode_words(value: bytes | str) -> str:
    """An unstructured value as text: encoded words decoded, raw bytes as UTF-8 or else Latin-1. Never raises."""
    raise NotImplementedError
