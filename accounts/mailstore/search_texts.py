"""What SEARCH compares: decoded, folded, bounded text of a message. RFC 9051 §6.4.4, RFC 5051."""


def fold(text: str) -> str:
    """Text as it is compared: NFKC, case folded, runs of white space as one space, no NUL.

    A needle goes through the same function before it is looked for.
    """
    raise NotImplementedError
