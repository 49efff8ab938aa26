"""Downloads: continued where they broke off, checked, and in place only when they are whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from wiseft_tutorial.errors import DownloadError

__all__ = ["Archive", "fetch", "unpack"]

_CHUNK = 1 << 20
_SECONDS = 60  # without a single byte


@dataclass(frozen=True)
class Archive:
    """A file on the web that is known in advance, to the last bit.

    Attributes:
        url: Where it is.
        sha256: Its digest, 64 hexadecimal digits.
        size: In bytes.
        name: What it is called here; "" means as in the address.
        into: The folder to unpack it in, inside the data folder.
    """

    url: str
    sha256: str
    size: int
    name: str = ""
    into: str = ""

    @property
    def filename(self) -> str:
        """What it is called here."""
        return self.name or self.url.rsplit("/", 1)[-1].split("?", 1)[0]


def fetch(archive: Archive, folder: Path, *, progress: bool = True) -> Path:
    """Download a file, unless it is there.

    What arrives goes to a file with another name, which is kept when the connection breaks, and
    continued the next time.

    Args:
        archive: Which file.
        folder: Where to put it; made if need be.
        progress: Show a progress bar.

    Returns:
        The file, whose digest is the one that is asked for.

    Raises:
        DownloadError: The server cannot be reached or broke off, there is too little room, or what
            came is something else.

    Explained in: chapter 15.
    """
    target, partial = folder / archive.filename, folder / f".{archive.filename}.part"
    if target.is_file() and target.stat().st_size == archive.size and _is(archive, target):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    have = partial.stat().st_size if partial.is_file() else 0
    if have > archive.size:
        partial.unlink()
        have = 0
    free = shutil.disk_usage(folder).free
    if free < archive.size - have:
        raise DownloadError(
            f"{archive.filename} needs {_size(archive.size - have)} and {str(folder)!r} has "
            f"{_size(free)} left; make room, or choose another folder with WISEFT_DATA"
        )
    with tqdm(
        total=archive.size,
        initial=have,
        desc=archive.filename,
        unit="B",
        unit_scale=True,
        disable=not progress,
    ) as bar:
        _receive(archive, partial, have, bar.update)
    if (came := partial.stat().st_size) < archive.size:
        raise _broken(archive, f"it ended after {_size(came)} of {_size(archive.size)}")
    if came > archive.size or not _is(archive, partial):
        partial.unlink()
        raise DownloadError(
            f"what came from {archive.url} is not the file that this package knows (another size "
            "or SHA-256); it was deleted. Try again; if that does not help, the file has been "
            "replaced or the way to it is tampered with"
        )
    os.replace(partial, target)
    return target


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar or zip file into a folder, all of it or nothing.

    Args:
        archive: The file.
        folder: Where its contents go; what is there of the same name is replaced.

    Raises:
        DownloadError: The file is damaged, or wants to write outside of the folder.

    Explained in: chapter 15.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as name:
        inside = Path(name)
        try:
            if zipfile.is_zipfile(archive):
                with zipfile.ZipFile(archive) as packed:
                    packed.extractall(inside)  # which drops ".." and leading slashes
            else:
                with tarfile.open(archive) as packed:
                    packed.extractall(inside, filter="data")
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise DownloadError(f"{str(archive)!r} cannot be unpacked: {error}") from error
        for part in sorted(inside.iterdir()):
            _replace(part, folder / part.name)


def _replace(part: Path, target: Path) -> None:
    """Move what was unpacked into place; folders that are there already get the new files."""
    if part.is_dir() and target.is_dir():
        for inner in sorted(part.iterdir()):
            _replace(inner, target / inner.name)
    else:
        os.replace(part, target)


def _receive(archive: Archive, partial: Path, have: int, advance: Callable[[int], object]) -> None:
    """Append to the partial file what is still missing of it."""
    request = urllib.request.Request(archive.url, headers={"User-Agent": "wiseft-tutorial"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    if have == archive.size:
        return
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            if have and answer.status != 206:  # it sends the file from its beginning
                advance(-have)
                have = 0
            with partial.open("ab" if have else "wb") as file:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    advance(len(chunk))
    except OSError as error:  # of which urllib's errors are a kind
        raise _broken(archive, error) from error


def _broken(archive: Archive, why: object) -> DownloadError:
    return DownloadError(
        f"{archive.url} cannot be read ({why}). What has come is kept: the same command goes on "
        "from there"
    )


def _is(archive: Archive, path: Path) -> bool:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest() == archive.sha256


def _size(count: float) -> str:
    """A number of bytes, for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
