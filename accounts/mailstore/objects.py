"""Where large blobs lie: Django's storage API over a durable file system, or over S3.

`BLOB_STORAGE_URL` is `file:///folder`, or `s3://bucket/prefix?region=…&endpoint_url=…` (any option of
django-storages' S3 backend), which needs the package django-storages[s3]. An object is written once, under a new
name, and is on disk before `write_object` returns.
"""

import os
import uuid
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage


class DurableFileStorage(FileSystemStorage):
    """Files that survive a power cut: file and folders are synced before the name is returned."""

    def _save(self, name: str, content: "File[bytes]") -> str:
        path = Path(self.path(name))
        made = _make_folders(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in content.chunks():
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        for folder in (path.parent, *made):
            _sync_folder(folder)
        return name


def write_object(content: bytes) -> str:
    """Store `content` durably under a new name, and return the name."""
    key = uuid.uuid4().hex
    return object_storage().save(f"{key[:2]}/{key}", ContentFile(content))


def read_object(name: str, start: int = 0, length: int | None = None) -> bytes:
    """A slice of an object. Raises FileNotFoundError."""
    with object_storage().open(name, "rb") as file:
        if start:
            file.seek(start)
        data: bytes = file.read() if length is None else file.read(length)
        return data


def delete_object(name: str) -> None:
    """Delete an object; one that is gone is no error."""
    object_storage().delete(name)


def list_objects() -> Iterator[tuple[str, datetime]]:
    """Every object with the time when it was written."""
    storage = object_storage()
    try:
        folders, _ = storage.listdir("")
    except FileNotFoundError:
        return
    for folder in folders:
        for file in storage.listdir(folder)[1]:
            name = f"{folder}/{file}"
            yield name, storage.get_modified_time(name)


def object_storage() -> Storage:
    """The storage of settings.BLOB_STORAGE_URL. Raises ImproperlyConfigured."""
    return _storage(settings.BLOB_STORAGE_URL)


@lru_cache(maxsize=8)
def _storage(url: str) -> Storage:
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return DurableFileStorage(location=unquote(parts.path))
    if parts.scheme == "s3" and parts.netloc:
        return _s3_storage(parts.netloc, parts.path.strip("/"), dict(parse_qsl(parts.query)))
    raise ImproperlyConfigured(
        f"BLOB_STORAGE_URL={url!r}: expected file:///folder or s3://bucket/prefix"
    )


def _s3_storage(bucket: str, prefix: str, options: dict[str, str]) -> Storage:
    try:
        from storages.backends.s3 import S3Storage  # type: ignore[import-not-found]
    except ImportError:
        raise ImproperlyConfigured(
            "BLOB_STORAGE_URL names S3, which needs: pip install 'django-storages[s3]'"
        ) from None
    names = {"region": "region_name"}
    storage: Storage = S3Storage(
        bucket_name=bucket,
        location=prefix,
        file_overwrite=False,
        **{names.get(key, key): value for key, value in options.items()},
    )
    return storage


def _make_folders(folder: Path) -> list[Path]:
    """Make what is missing; return the folders whose lists of names changed."""
    if folder.is_dir():
        return []
    changed = _make_folders(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    return [*changed, folder.parent]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
