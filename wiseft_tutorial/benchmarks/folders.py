"""Folders of images: the reader's own photographs as a benchmark, in three lines.

Explained in: chapter 17.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from wiseft_tutorial.benchmarks.benchmark import Benchmark
from wiseft_tutorial.benchmarks.files import Files, class_folders, files_in
from wiseft_tutorial.benchmarks.prompts import FOLDERS
from wiseft_tutorial.benchmarks.split import Split, balanced_order
from wiseft_tutorial.errors import DataError, unknown

__all__ = ["benchmark_from_folders"]

_PARTS = {"train": 0.6, "val": 0.2, "test": 0.2}
_LIKE_PARTS = {*_PARTS, "training", "valid", "validation", "testing"}


def benchmark_from_folders(
    reference: str | os.PathLike[str],
    shifts: Mapping[str, str | os.PathLike[str]],
    *,
    classnames: Mapping[str, str] | None = None,
    templates: Sequence[str] = FOLDERS,
    image_size: int = 224,
    test_images: int | None = None,
    train_per_class: int | None = None,
    keep_together: Callable[[Path], Hashable] | None = None,
    name: str = "folders",
    seed: int = 0,
    cache: str | os.PathLike[str] | None = None,
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
        keep_together: From a file to what it is a picture of, such as the burst or the patient that
            its name begins with: pictures of the same are all for training, all to choose on or all
            to test. ``None`` means that every picture is of something else.
        name: Of the benchmark.
        seed: Which images are taken where not all are.
        cache: A folder for the decoded images, three bytes for each pixel; ``None`` means
            :func:`wiseft_tutorial.cache_folder`.

    Returns:
        The benchmark. Its images are decoded once, and as one sees them: turned as the camera noted
        that it was held, and on white where they are transparent.

    Raises:
        MissingFileError: A folder is not there.
        DataError: The folders are not those of classes, a class has too few images, a shift has a
            class that the reference lacks, or some files cannot be read.
        UnknownNameError: A class name is for a folder that there is not.

    Explained in: chapter 17.
    """
    root = Path(reference)
    parts, folders = _reference(root, keep_together, seed)
    for folder in classnames or {}:
        if folder not in folders:
            raise unknown("folder", folder, folders)
    called = {folder: folder.replace("_", " ").replace("-", " ") for folder in folders}
    called |= classnames or {}
    if twins := [folder for folder in folders if list(called.values()).count(called[folder]) > 1]:
        raise DataError(
            f"{' and '.join(map(repr, twins))} are two classes of one name, {called[twins[0]]!r}; "
            "a prompt cannot tell them apart"
        )

    parts["train"] = parts["train"].between(0, train_per_class, seed=seed)
    tests = [parts["test"]]
    tests += [files_in(Path(place), folders, shift) for shift, place in shifts.items()]
    tests = [files.head(test_images, seed=seed) for files in tests]
    train, val, test, *others = _read([parts["train"], parts["val"], *tests], image_size, cache)
    return Benchmark(
        name=name,
        classnames=tuple(called[folder] for folder in folders),
        templates=tuple(templates),
        train=train,
        val=val,
        test=test,
        shifts=dict(zip(shifts, others, strict=True)),
    )


def _read(
    parts: Sequence[Files], image_size: int, cache: str | os.PathLike[str] | None
) -> list[Split]:
    """Decode all parts, even if files of the first are damaged: one complaint names them all."""
    read, damaged = [], []
    for files in parts:
        try:
            folder = None if cache is None else Path(cache)
            read.append(files.read(image_size, folder, as_seen=True))
        except DataError as error:
            damaged.append(str(error))
    if damaged:
        raise DataError("\n".join(damaged))
    return read


def _reference(
    root: Path, keep_together: Callable[[Path], Hashable] | None, seed: int
) -> tuple[dict[str, Files], list[str]]:
    """The files of each part of the reference, and the folders of its classes."""
    there = {place.name for place in root.iterdir() if place.is_dir()} if root.is_dir() else set()
    alike = {folder for folder in there if folder.lower() in _LIKE_PARTS}
    if alike and (not {"train", "test"} <= there or alike - set(_PARTS)):
        raise DataError(
            f"{str(root)!r} has the folders {', '.join(sorted(alike))}: a reference that is split "
            "already has 'train' and 'test', and 'val' if there is one, by these names; any other "
            "has a folder for each class"
        )
    classes = class_folders(root / "train" if alike else root)
    _check_classes(root / "train" if alike else root, classes)
    folders = sorted(classes)
    if not alike:
        files = files_in(root, folders, root.name)
        return _shared(files, _PARTS, folders, keep_together, seed), folders
    parts = {part: files_in(root / part, folders, root.name) for part in _PARTS if part in there}
    if "val" not in parts:
        shares = {"train": 0.8, "val": 0.2}
        parts |= _shared(parts["train"], shares, folders, keep_together, seed)
    return parts, folders


def _check_classes(root: Path, found: Mapping[str, Sequence[Path]]) -> None:
    """Refuse folders that hold the folders of the classes: they would be taken for classes."""
    inside = {
        file.relative_to(root).parts[1]
        for files in found.values()
        for file in files
        if len(file.relative_to(root).parts) > 2
    }
    direct = any(len(file.relative_to(root).parts) == 2 for f in found.values() for file in f)
    if not direct:
        raise DataError(
            f"no image lies in a folder of {str(root)!r} itself; they are one level deeper, in "
            f"{', '.join(sorted(inside)[:5])}. If those are the classes, give the folder that "
            f"holds them, such as {str(root / min(found))!r}"
        )
    if len(found) < 2:
        raise DataError(f"{str(root)!r} has one class only, {min(found)!r}; put two or more there")


def _shared(
    files: Files,
    shares: Mapping[str, float],
    folders: Sequence[str],
    keep_together: Callable[[Path], Hashable] | None,
    seed: int,
) -> dict[str, Files]:
    """Deal out the files: every part gets its share of each class, and at least one."""
    count = files.labels.bincount(minlength=len(folders))
    if (few := int(count.min())) < len(shares):
        raise DataError(
            f"{folders[int(count.argmin())]!r} of {files.name!r} has {few} images; to be split "
            f"into {', '.join(shares)} a class needs {len(shares)} or more"
        )
    if keep_together is None:
        return _shared_singly(files, shares, count, seed)
    parts = _shared_in_groups(files, shares, count, [keep_together(p) for p in files.paths], seed)
    for part, dealt in parts.items():
        there = dealt.labels.bincount(minlength=len(folders))
        if not int(there.min()):
            raise DataError(
                f"no image of {folders[int(there.argmin())]!r} is left for {part}: what is kept "
                "together is too much of it, or belongs with too many other classes"
            )
    return parts


def _shared_singly(
    files: Files, shares: Mapping[str, float], count: Tensor, seed: int
) -> dict[str, Files]:
    """Of each class, the first files of a seeded order to one part, the next to another."""
    order, turn = balanced_order(files.labels, seed)
    size = count[files.labels[order]]
    parts, below = {}, torch.zeros_like(size)
    for position, (part, share) in enumerate(shares.items()):
        left = len(shares) - position - 1
        end = size if not left else below + (share * size).round().long().clamp(min=1)
        end = torch.minimum(end, size - left)
        parts[part] = files.take(order[(turn >= below) & (turn < end)])
        below = end
    return parts


def _shared_in_groups(
    files: Files,
    shares: Mapping[str, float],
    count: Tensor,
    keys: Sequence[Hashable],
    seed: int,
) -> dict[str, Files]:
    """Whole groups, the largest first, each to the part that lacks most of what it holds."""
    order = torch.randperm(len(keys), generator=torch.Generator().manual_seed(seed)).tolist()
    groups: dict[Hashable, list[int]] = {}
    for position in order:
        groups.setdefault(keys[position], []).append(position)
    lacking = {part: share * count.double() for part, share in shares.items()}
    dealt: dict[str, list[int]] = {part: [] for part in shares}
    for group in sorted(groups.values(), key=len, reverse=True):
        held = files.labels[group].bincount(minlength=len(count)).double()
        gain = {p: float((held * lacking[p] / (shares[p] * count)).sum()) for p in shares}
        part = max(gain, key=gain.__getitem__)
        lacking[part] -= held
        dealt[part] += group
    rank = {position: turn for turn, position in enumerate(order)}
    return {
        part: files.take(torch.tensor(sorted(own, key=rank.__getitem__), dtype=torch.int64))
        for part, own in dealt.items()
    }
