"""Image files with labels: what a split is before it has been read.

Explained in: chapter 17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from torch import Tensor

from wiseft_tutorial._torchvision import ensure_torchvision
from wiseft_tutorial.benchmarks.split import Metric, Split, balanced_head, balanced_order
from wiseft_tutorial.datafiles.decoding import decode
from wiseft_tutorial.errors import DataError, MissingFileError
from wiseft_tutorial.places import cache_folder

__all__ = ["Files", "class_folders", "files_in"]


# What cameras write and Pillow cannot read by itself; they must not be lost without a word.
_UNREADABLE = {".heic", ".heif", ".avif", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf"}


@dataclass(frozen=True, eq=False)
class Files:
    """Image files with labels: a split that has not been read yet.

    Attributes:
        paths: N files.
        border: Pixels to cut off at every side.

    All else is what the split will have.
    """

    name: str
    paths: tuple[Path, ...]
    labels: Tensor
    classes: tuple[int, ...] | None = None
    together: tuple[tuple[int, ...], ...] = ()
    answers: Tensor | None = None
    groups: Tensor | None = None
    metric: Metric = "accuracy"
    border: int = 0

    def take(self, chosen: Tensor) -> Files:
        """The files at some positions, in that order."""
        return replace(
            self,
            paths=tuple(self.paths[i] for i in chosen.tolist()),
            labels=self.labels[chosen],
            answers=None if self.answers is None else self.answers[chosen],
            groups=None if self.groups is None else self.groups[chosen],
        )

    def head(self, n: int | None, *, seed: int = 0) -> Files:
        """As many as ``n``, of every class as often as of any other; all, for ``None``."""
        if n is None:
            return self
        return self.take(balanced_head(self.labels, n, seed))

    def between(self, first: int, last: int | None, *, seed: int = 0) -> Files:
        """Of each class, in a seeded order, the files from one number to another."""
        order, turn = balanced_order(self.labels, seed)
        return self.take(order[(turn >= first) & (turn < (len(turn) if last is None else last))])

    def read(self, image_size: int, folder: Path | None = None, *, as_seen: bool = False) -> Split:
        """Decode the files, or find them decoded."""
        images = decode(
            self.paths,
            image_size,
            folder or cache_folder() / "decoded",
            border=self.border,
            as_seen=as_seen,
        )
        known = {field.name: getattr(self, field.name) for field in _SHARED}
        return Split(images=images, **known)


_SHARED = [field for field in fields(Split) if field.name != "images"]  # which files have as well


def files_in(root: Path, folders: Sequence[str], name: str, *, border: int = 0) -> Files:
    """The images in the folders of some classes.

    Args:
        root: The folder that holds a folder for each class.
        folders: The K classes' folders, in the order of their numbers.
        name: Of the distribution.
        border: Pixels to cut off at every side when the images are read.

    Returns:
        The files; ``classes`` is set if not all classes are there.

    Raises:
        MissingFileError: There is no such folder.
        DataError: There are no folders of images, one is of no known class, or one has no image.
    """
    found = class_folders(root)
    if strange := sorted(set(found) - set(folders)):
        raise DataError(
            f"{str(root)!r} has folders that are no classes of the reference: "
            f"{', '.join(strange[:5])}. Rename or remove them."
        )
    number = {folder: index for index, folder in enumerate(folders)}
    paths = [path for folder in sorted(found, key=number.__getitem__) for path in found[folder]]
    labels = [number[f] for f in sorted(found, key=number.__getitem__) for _ in found[f]]
    classes = tuple(sorted(number[folder] for folder in found))
    return Files(
        name,
        tuple(paths),
        torch.tensor(labels),
        None if len(classes) == len(folders) else classes,
        border=border,
    )


def class_folders(root: Path) -> dict[str, list[Path]]:
    """The image files in each folder inside another.

    Args:
        root: The other.

    Returns:
        For each folder its image files, in order, those in folders of its own included.

    Raises:
        MissingFileError: There is no such folder.
        DataError: It has no folders, one of them has no images, or there are photographs of a kind
            that cannot be read.
    """
    ensure_torchvision()
    from torchvision.datasets.folder import IMG_EXTENSIONS  # here, because it is slow to import

    if not root.is_dir():
        raise MissingFileError(f"there is no folder {str(root)!r}")
    inside = {
        folder.name: [file for file in sorted(folder.rglob("*")) if not _hidden(file, folder)]
        for folder in sorted(root.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
    }
    if lost := [f for files in inside.values() for f in files if f.suffix.lower() in _UNREADABLE]:
        raise DataError(
            f"{len(lost)} photographs in {str(root)!r} are of kinds that are not read here "
            f"({', '.join(sorted({file.suffix for file in lost}))}), such as {lost[0].name}. "
            "Convert them to JPEG, or remove them"
        )
    found = {
        name: [file for file in files if file.suffix.lower() in IMG_EXTENSIONS]
        for name, files in inside.items()
    }
    if not found:
        raise DataError(
            f"{str(root)!r} has no folders; put the images of each class into a folder of its own"
        )
    if empty := [folder for folder, files in found.items() if not files]:
        raise DataError(
            f"in {str(root)!r}, {', '.join(empty[:5])} has no images ("
            f"{', '.join(sorted(IMG_EXTENSIONS))})"
        )
    return found


def _hidden(file: Path, folder: Path) -> bool:
    """Whether a file is a system's own, as thumbnails are, and a Mac's ``._`` twin of each file."""
    return any(part.startswith(".") for part in file.relative_to(folder).parts)
