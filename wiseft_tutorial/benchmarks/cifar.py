"""CIFAR-10 and its two replications, and CIFAR-100: small photographs, kept at their own size.

Explained in: chapter 15.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wiseft_tutorial.benchmarks.benchmark import Benchmark
from wiseft_tutorial.benchmarks.prompts import CIFAR
from wiseft_tutorial.benchmarks.split import Split, balanced_order
from wiseft_tutorial.datafiles.sources import require
from wiseft_tutorial.datafiles.unpickling import unpickle_data
from wiseft_tutorial.errors import CheckpointError, DataError

__all__ = ["cifar10", "cifar100"]

_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))


def cifar10(
    *,
    test_images: int | None = None,
    train_per_class: int | None = None,
    val_per_class: int = 500,
    folder: Path | None = None,
    seed: int = 0,
) -> Benchmark:
    """CIFAR-10, and as shifts CIFAR-10.1 (version 6) and CIFAR-10.2, each collected anew.

    Args:
        test_images: Of each test set; ``None`` means all, 10,000 and twice 2,000.
        train_per_class: Of the 50,000 training images, less those of ``val``; ``None`` means all.
        val_per_class: Training images held out to choose on.
        folder: The data folder; ``None`` means :func:`wiseft_tutorial.data_folder`.
        seed: Which images are held out, and which are taken where not all are.

    Explained in: chapter 15.
    """
    place = require("cifar10", [*_BATCHES, "test_batch", "batches.meta"], folder=folder)
    parts = [_batch(place / name, b"labels") for name in _BATCHES]
    images, labels = (torch.cat(part) for part in zip(*parts, strict=True))
    names = _names(place / "batches.meta", b"label_names")
    first = require(
        "cifar10.1", ["cifar10.1_v6_data.npy", "cifar10.1_v6_labels.npy"], folder=folder
    )
    second = require("cifar10.2", ["cifar102_test.npz"], folder=folder)
    shifts = {
        "CIFAR-10.1": (
            _array(first / "cifar10.1_v6_data.npy"),
            _array(first / "cifar10.1_v6_labels.npy"),
        ),
        "CIFAR-10.2": tuple(
            _array(second / "cifar102_test.npz", key) for key in ("images", "labels")
        ),
    }
    tests = [
        Split("CIFAR-10", *_batch(place / "test_batch", b"labels")),
        *(
            Split(name, torch.from_numpy(pixels).permute(0, 3, 1, 2), _whole(classes))
            for name, (pixels, classes) in shifts.items()
        ),
    ]
    return _benchmark(
        "cifar10", names, images, labels, tests, test_images, train_per_class, val_per_class, seed
    )


def cifar100(
    *,
    test_images: int | None = None,
    train_per_class: int | None = None,
    val_per_class: int = 50,
    folder: Path | None = None,
    seed: int = 0,
) -> Benchmark:
    """CIFAR-100, a transfer data set without shifts.

    Args:
        test_images: Of the test set; ``None`` means all 10,000.
        train_per_class: Of the 500 images of each class, less those of ``val``.
        val_per_class: Training images held out to choose on.
        folder: The data folder; ``None`` means :func:`wiseft_tutorial.data_folder`.
        seed: Which images are held out, and which are taken where not all are.

    Source: table 2. Explained in: chapter 15.
    """
    place = require("cifar100", ["train", "test", "meta"], folder=folder)
    images, labels = _batch(place / "train", b"fine_labels")
    names = _names(place / "meta", b"fine_label_names")
    tests = [Split("CIFAR-100", *_batch(place / "test", b"fine_labels"))]
    return _benchmark(
        "cifar100", names, images, labels, tests, test_images, train_per_class, val_per_class, seed
    )


def _benchmark(
    name: str,
    classnames: tuple[str, ...],
    images: Tensor,
    labels: Tensor,
    tests: list[Split],
    test_images: int | None,
    train_per_class: int | None,
    val_per_class: int,
    seed: int,
) -> Benchmark:
    if test_images is not None:
        tests = [split.head(test_images, seed=seed) for split in tests]
    order, turn = balanced_order(labels, seed)
    most = None if train_per_class is None else val_per_class + train_per_class
    reference = tests[0].name

    def taken(chosen: Tensor) -> Split:
        return Split(reference, images[chosen], labels[chosen])

    return Benchmark(
        name=name,
        classnames=classnames,
        templates=CIFAR,
        train=taken(order[(turn >= val_per_class) & (turn < (most or len(labels)))]),
        val=taken(order[turn < val_per_class]),
        test=tests[0],
        shifts={split.name: split for split in tests[1:]},
    )


def _batch(path: Path, key: bytes) -> tuple[Tensor, Tensor]:
    """The images and labels of one of CIFAR's pickles."""
    found = unpickle_data(path)
    try:
        images = torch.from_numpy(found[b"data"]).view(-1, 3, 32, 32)
        labels = torch.tensor(found[key])
    except (KeyError, TypeError, RuntimeError) as error:
        raise DataError(f"{str(path)!r} is no batch of CIFAR: {error!r}") from error
    return images, labels


def _names(path: Path, key: bytes) -> tuple[str, ...]:
    """The names of the classes, in their order."""
    try:
        return tuple(name.decode().replace("_", " ") for name in unpickle_data(path)[key])
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{str(path)!r} holds no class names of CIFAR: {error!r}") from error


def _array(path: Path, key: str | None = None) -> np.ndarray:
    """An array of a file of NumPy's, without unpickling anything."""
    try:
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            return np.asarray(found if key is None else found[key])
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"{str(path)!r} cannot be read as arrays ({error}). It is damaged, or something else: "
            "fetch it again."
        ) from error


def _whole(labels: np.ndarray) -> Tensor:
    return torch.from_numpy(labels.astype(np.int64))
