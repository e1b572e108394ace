"""Names of folders: Unicode, with `/` between the levels (RFC 9051 §5.1). Pure."""

import re
import unicodedata
from collections.abc import Iterator

from accounts.addresses import AddressSyntaxError, canonical_local_part, parse_address
from accounts.mailstore.values import HIERARCHY_SEPARATOR, INBOX, FolderNameInvalid

NAME_BYTES_MAXIMUM = 2600  # of UTF-8: what an index entry of the database holds
LEVELS_MAXIMUM = 50

# What Net-Unicode leaves out (RFC 5198 §2): controls, separators of lines, surrogates, noncharacters; and what turns the
# direction of writing, so that a name would read as another.
_UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufdd0-\ufdef\u202a-\u202e\u2066-\u2069"
    + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
    + "]"
)


SHARED = "Shared"
"""Above the folders of others: `Shared/ann@example.org/Projects`."""

_SHARED_NAME = re.compile(r"([^@]+@[^/]+)(?:/(.*))?", re.DOTALL)


def shared_name(address: str, name: str) -> str:
    """What a reader calls the folder `name` of the user at `address`."""
    return HIERARCHY_SEPARATOR.join((SHARED, address, name))


def split_shared(name: str) -> tuple[str, str] | None:
    """The owner's address and the folder's name there ("" for the top alone); None for a name of one's own."""
    if not name.startswith(SHARED + HIERARCHY_SEPARATOR):
        return None
    match = _SHARED_NAME.fullmatch(name, len(SHARED) + 1)
    return (match[1], match[2] or "") if match else None


def canonical_name(name: str) -> str:
    """The name as it is stored: NFC, INBOX in capitals, no separator at the end.

    RFC 9051 §5.1: INBOX is the same in any case, as the first level of a longer name too.
    """
    shared = split_shared(name)
    if shared is not None and shared[1]:
        return shared_name(_canonical_address(shared[0]), _canonical_own(shared[1]))
    return _canonical_own(name)


def composed(name: str) -> str:
    """In NFC. What is too long for a name stays as it is: thousands of combining marks would take seconds."""
    return name if len(name) > 2 * NAME_BYTES_MAXIMUM else unicodedata.normalize("NFC", name)


def _canonical_own(name: str) -> str:
    name = composed(name)
    if len(name) > 1 and name.endswith(HIERARCHY_SEPARATOR):
        name = name[:-1]
    first, separator, rest = name.partition(HIERARCHY_SEPARATOR)
    return INBOX + separator + rest if first.upper() == INBOX else name


def _canonical_address(text: str) -> str:
    try:
        address = parse_address(text)
    except AddressSyntaxError:
        return text
    return f"{canonical_local_part(address.local_part)}@{address.domain}"


def checked_name(name: str) -> str:
    """The canonical name of a folder to be made. Raises FolderNameInvalid."""
    name = canonical_name(name)
    levels = name.split(HIERARCHY_SEPARATOR)
    if not all(levels):
        raise FolderNameInvalid("a level of the name is empty")
    if not fits(name):
        raise FolderNameInvalid("the name is too long")
    if _UNFIT.search(name):
        raise FolderNameInvalid("the name holds a control character")
    return name


def fits(name: str) -> bool:
    """Whether a name is short enough to be stored."""
    is_flat = name.count(HIERARCHY_SEPARATOR) < LEVELS_MAXIMUM
    return is_flat and len(name.encode("utf-8", "surrogatepass")) <= NAME_BYTES_MAXIMUM


def parents(name: str) -> Iterator[str]:
    """The names above, the topmost first."""
    at = name.find(HIERARCHY_SEPARATOR)
    while at >= 0:
        yield name[:at]
        at = name.find(HIERARCHY_SEPARATOR, at + 1)


# What clients call the folders that have a special use (RFC 6154), compared without case.
SPECIAL_USE_OF_NAMES = {
    "drafts": "\\Drafts",
    "draft": "\\Drafts",
    "sent": "\\Sent",
    "sent items": "\\Sent",
    "sent messages": "\\Sent",
    "sent mail": "\\Sent",
    "trash": "\\Trash",
    "deleted items": "\\Trash",
    "deleted messages": "\\Trash",
    "bin": "\\Trash",
    "spam": "\\Junk",
    "junk": "\\Junk",
    "junk e-mail": "\\Junk",
    "junk mail": "\\Junk",
    "archive": "\\Archive",
    "archives": "\\Archive",
}


def usual_special_use(name: str) -> str:
    """The special use that a folder of this name is made for, or ""."""
    return SPECIAL_USE_OF_NAMES.get(name.casefold(), "")
