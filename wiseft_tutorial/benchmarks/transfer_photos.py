"""Photographs to fine-tune on besides ImageNet: cars, textures, scenes and food, without shifts.

torchvision reads the lists of files; images are decoded as all others are.

Explained in: chapter 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from wiseft_tutorial._torchvision import ensure_torchvision
from wiseft_tutorial.benchmarks.benchmark import Benchmark
from wiseft_tutorial.benchmarks.files import Files
from wiseft_tutorial.benchmarks.prompts import CARS, FOOD, SCENES, TEXTURES
from wiseft_tutorial.datafiles.sources import require
from wiseft_tutorial.errors import DataError, unknown

__all__ = ["cars", "dtd", "food101", "photos", "sun397"]

_NEEDED = {
    "cars": ("devkit", "cars_train", "cars_test", "cars_test_annos_withlabels.mat"),
    "dtd": ("dtd/images", "dtd/labels"),
    "food101": ("images", "meta"),
    "sun397": ("ClassName.txt", "Training_01.txt", "Testing_01.txt"),
}
_TITLES = {"cars": "Cars", "dtd": "DTD", "food101": "Food-101", "sun397": "SUN397"}
_PROMPTS = {"cars": CARS, "dtd": TEXTURES, "food101": FOOD, "sun397": SCENES}


def photos(
    name: str,
    *,
    image_size: int = 224,
    test_images: int | None = None,
    train_per_class: int | None = None,
    val_per_class: int = 5,
    folder: Path | None = None,
    seed: int = 0,
) -> Benchmark:
    """One of four transfer data sets, in their official division into training and test images.

    Args:
        name: ``"cars"``, ``"dtd"`` (its first partition), ``"food101"`` or ``"sun397"`` (its first
            partition).
        image_size: Of the decoded images, in pixels.
        test_images: Of the test set, all classes as often; ``None`` means all.
        train_per_class: Training images of each class, less those of ``val``; ``None`` means all.
        val_per_class: Training images of each class held out to choose on; DTD has its own.
        folder: The data folder; ``None`` means :func:`wiseft_tutorial.data_folder`.
        seed: Which images are held out, and which are taken where not all are.

    Raises:
        UnknownNameError: There is no such data set; names the nearest.

    Source: table 2. Explained in: chapter 15.
    """
    if name not in _NEEDED:
        raise unknown("transfer data set", name, _NEEDED)
    place = require(name, _NEEDED[name], folder=folder)
    train, val, test, classnames = _READERS[name](place)
    if val is None:
        val = train.between(0, val_per_class, seed=seed)
        last = None if train_per_class is None else val_per_class + train_per_class
        train = train.between(val_per_class, last, seed=seed)
    else:
        train = train.between(0, train_per_class, seed=seed)
    train, val, test = (
        replace(files, name=_TITLES[name]).read(image_size)
        for files in (train, val, test.head(test_images, seed=seed))
    )
    return Benchmark(name, classnames, _PROMPTS[name], train, val, test, {})


cars, dtd, food101, sun397 = (
    partial(photos, name) for name in ("cars", "dtd", "food101", "sun397")
)


def _listed(kind: str, root: Path, **options: Any) -> tuple[Files, tuple[str, ...]]:
    """The files and labels of one of torchvision's data sets, without reading an image."""
    ensure_torchvision()
    from torchvision import datasets  # here, because it is slow to import

    try:
        found = getattr(datasets, kind)(root, loader=Path, **options)
        pairs = [found[index] for index in range(len(found))]
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise DataError(
            f"{str(root)!r} does not hold {kind} as torchvision knows it: {error}"
        ) from error
    paths, labels = zip(*pairs, strict=True)
    return Files(kind, tuple(paths), torch.tensor(labels)), _spelt(found.classes)


def _spelt(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.replace("_", " ").replace("/", " ").strip() for name in names)


def _read_cars(place: Path) -> tuple[Files, None, Files, tuple[str, ...]]:
    train, classnames = _listed("StanfordCars", place.parent, split="train")
    test, _ = _listed("StanfordCars", place.parent, split="test")
    return train, None, test, classnames


def _read_dtd(place: Path) -> tuple[Files, Files, Files, tuple[str, ...]]:
    parts = [_listed("DTD", place.parent, split=split) for split in ("train", "val", "test")]
    (train, classnames), (val, _), (test, _) = parts
    return train, val, test, classnames


def _read_food(place: Path) -> tuple[Files, None, Files, tuple[str, ...]]:
    train, classnames = _listed("Food101", place.parent, split="train")
    test, _ = _listed("Food101", place.parent, split="test")
    return train, None, test, classnames


def _read_sun(place: Path) -> tuple[Files, None, Files, tuple[str, ...]]:
    """Torchvision has all images in one; the files of the first partition tell which is which."""
    every, classnames = _listed("SUN397", place.parent)
    position = {path: index for index, path in enumerate(every.paths)}
    parts = []
    for file in _NEEDED["sun397"][1:]:
        lines = [place / line.strip("/") for line in (place / file).read_text().split()]
        if absent := [path for path in lines if path not in position]:
            raise DataError(f"{str(place / file)!r} lists {str(absent[0])!r}, which is not there")
        parts.append(every.take(torch.tensor([position[path] for path in lines])))
    train, test = parts
    return train, None, test, classnames


_READERS: dict[str, Any] = {
    "cars": _read_cars,
    "dtd": _read_dtd,
    "food101": _read_food,
    "sun397": _read_sun,
}
