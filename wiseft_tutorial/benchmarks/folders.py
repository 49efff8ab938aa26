"""Folders of images: the reader's own photographs as a benchmark, in three lines.

Explained in: chapter 17.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from wiseft_tutorial.benchmarks.benchmark import Benchmark
from wiseft_tutorial.benchmarks.files import Files, class_folders, files_in
from wiseft_tutorial.benchmarks.prompts import FOLDERS
from wiseft_tutorial.benchmarks.split import Split, balanced_order
from wiseft_tutorial.errors import DataError, unknown

__all__ = ["benchmark_from_folders"]

_PARTS = {"train": 0.6, "val": 0.2, "test": 0.2}


def benchmark_from_folders(
    reference: str | os.PathLike[str],
    shifts: Mapping[str, str | os.PathLike[str]],
    *,
    classnames: Mapping[str, str] | None = None,
    templates: Sequence[str] = FOLDERS,
    image_size: int = 224,
    test_images: int | None = None,
    train_per_class: int | None = None,
    name: str = "folders",
    seed: int = 0,
) -> Benchmark:
    """Make a benchmark of folders of images, one folder for each class.

    Args:
        reference: A folder with ``train`` and ``test``, and ``val`` if you have one, each with a
            folder for each class; or a folder with a folder for each class, of which 60 % of the
            images are then for training, 20 % to choose on and 20 % to test.
        shifts: For each shift its name and a folder with a folder for each class, or for some.
        classnames: What the classes are called in prompts, by folder; ``None`` means as their
            folders, with spaces for underscores and hyphens.
        templates: Prompts with ``{}`` where a class name goes.
        image_size: Of the decoded images, in pixels.
        test_images: Of each test set, all classes as often; ``None`` means all.
        train_per_class: Training images of each class; ``None`` means all.
        name: Of the benchmark.
        seed: Which images are taken where not all are.

    Returns:
        The benchmark. Its images are decoded once, into the cache, and turned upright.

    Raises:
        MissingFileError: A folder is not there.
        DataError: A folder has no folders of images, a class has too few, a shift has a class that
            the reference lacks, or some files cannot be read.
        UnknownNameError: A class name is for a folder that there is not.

    Explained in: chapter 17.
    """
    root = Path(reference)
    ready = [part for part in _PARTS if (root / part).is_dir()]
    if {"train", "test"} <= set(ready):
        folders = sorted(class_folders(root / "train"))
        parts = {part: files_in(root / part, folders, root.name) for part in ready}
        if "val" not in parts:
            parts |= _shared(parts["train"], {"train": 0.8, "val": 0.2}, folders, seed)
    else:
        folders = sorted(class_folders(root))
        parts = _shared(files_in(root, folders, root.name), _PARTS, folders, seed)
    for folder in classnames or {}:
        if folder not in folders:
            raise unknown("folder", folder, folders)
    called = {folder: folder.replace("_", " ").replace("-", " ") for folder in folders}
    called |= classnames or {}

    def read(files: Files) -> Split:
        return files.read(image_size, upright=True)

    train = parts["train"].between(0, train_per_class, seed=seed)
    return Benchmark(
        name=name,
        classnames=tuple(called[folder] for folder in folders),
        templates=tuple(templates),
        train=read(train),
        val=read(parts["val"]),
        test=read(parts["test"].head(test_images, seed=seed)),
        shifts={
            shift: read(files_in(Path(place), folders, shift).head(test_images, seed=seed))
            for shift, place in shifts.items()
        },
    )


def _shared(
    files: Files, shares: Mapping[str, float], folders: Sequence[str], seed: int
) -> dict[str, Files]:
    """Deal out the files of each class: every part gets its share, and at least one."""
    order, turn = balanced_order(files.labels, seed)
    count = files.labels.bincount(minlength=len(folders))
    if (few := int(count.min())) < len(shares):
        raise DataError(
            f"{folders[int(count.argmin())]!r} of {files.name!r} has {few} images; to be split "
            f"into {', '.join(shares)} a class needs {len(shares)} or more"
        )
    size = count[files.labels[order]]
    parts, below = {}, torch.zeros_like(size)
    for position, (part, share) in enumerate(shares.items()):
        left = len(shares) - position - 1
        end = size if not left else below + (share * size).round().long().clamp(min=1)
        end = torch.minimum(end, size - left)
        parts[part] = files.take(order[(turn >= below) & (turn < end)])
        below = end
    return parts
