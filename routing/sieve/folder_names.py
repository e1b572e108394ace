"""Names of folders in scripts: UTF-8, levels divided by "/" (RFC 5228 §4.1)."""

from accounts.mailstore.folder_names import checked_name
from accounts.mailstore.values import FolderNameInvalid


def folder_name_error(name: str) -> str:
    """Why this can be no folder's name, or ""."""
    try:
        checked_name(name)
    except FolderNameInvalid as error:
        return f"{name[:200]!r} is no name of a folder: {error}"
    return ""
