"""Two data sets of WILDS: land seen by satellites in later years, animals before other cameras.

The `wilds` package reads their tables and says which image belongs to which split; the images
themselves are decoded like all others here.

Explained in: chapter 15.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wiseft_tutorial._torchvision import ensure_torchvision
from wiseft_tutorial.benchmarks import prompts
from wiseft_tutorial.benchmarks.benchmark import Benchmark
from wiseft_tutorial.benchmarks.files import Files
from wiseft_tutorial.benchmarks.iwildcam_words import IWILDCAM_NAMES
from wiseft_tutorial.benchmarks.split import Metric
from wiseft_tutorial.datafiles.sources import require
from wiseft_tutorial.errors import DataError

__all__ = ["fmow", "iwildcam"]

_NOWHERE = "Other"  # FMoW's name for what lies in no region; WILDS does not count it as one


def fmow(*, folder: Path | None = None, **options: Any) -> Benchmark:
    """FMoW-WILDS: what stands on a piece of land before 2013, and under shift from 2016 on.

    On the shift, the accuracy in the worst region of the world counts, as in WILDS; on the
    reference, that on all images.

    Args:
        folder: The data folder; ``None`` means :func:`wiseft_tutorial.data_folder`.
        options: ``image_size`` of the decoded images (224), ``test_images`` of either test set and
            ``train_per_class`` (``None``, all), and the ``seed`` of those that are taken then.

    Returns:
        The benchmark.

    Raises:
        MissingFileError: The data are not there; says where to get them.
        DataError: They are incomplete, or the `wilds` package is not installed.

    Source: section 4 and appendix C.2. Explained in: chapter 15.
    """
    parts = ("RELEASE_v1.1.txt", "rgb_metadata.csv", "country_code_mapping.csv", "images")
    root = require("wilds-fmow", parts, folder=folder)
    data = _open("fmow", root)
    from wilds.datasets.fmow_dataset import categories

    names = list(data.metadata_map["region"])
    regions = data.metadata_array[:, data.metadata_fields.index("region")]
    if _NOWHERE in names:
        regions = regions.where(regions != names.index(_NOWHERE), -1)
    return _benchmark(
        "wilds-fmow",
        ("FMoW", "FMoW from 2016 on, worst region"),
        data,
        [root / "images" / f"rgb_img_{number}.png" for number in data.full_idxs],
        [name.replace("_", " ") for name in categories],
        prompts.FMOW,
        ("accuracy", "worst-group accuracy"),
        groups=regions,
        **options,
    )


def iwildcam(*, folder: Path | None = None, **options: Any) -> Benchmark:
    """iWildCam-WILDS: which animal a camera trap caught, and under shift those of other cameras.

    Most pictures show nothing, and many animals are rare: on both test sets the mean of the
    classes' F1 counts.

    Args:
        folder: As for :func:`fmow`.
        options: As for :func:`fmow`.

    Returns:
        The benchmark.

    Raises:
        MissingFileError: The data are not there; says where to get them.
        DataError: They are incomplete, or the `wilds` package is not installed.

    Source: section 4 and appendix C.2. Explained in: chapter 15.
    """
    root = require("wilds-iwildcam", ("RELEASE_v2.0.txt", "metadata.csv", "train"), folder=folder)
    data = _open("iwildcam", root)
    return _benchmark(
        "wilds-iwildcam",
        ("iWildCam", "iWildCam, other cameras"),
        data,
        [root / "train" / name for name in data._input_array],  # what its get_input reads
        IWILDCAM_NAMES,
        prompts.IWILDCAM,
        ("macro-F1", "macro-F1"),
        **options,
    )


def _open(name: str, root: Path) -> Any:
    """A data set as the `wilds` package reads its tables."""
    ensure_torchvision()
    try:
        from wilds import get_dataset
    except ImportError as error:
        raise DataError(
            f"{root.name} is read by the wilds package, and {error.name!r} cannot be imported: "
            "pip install 'wiseft-tutorial[wilds]'"
        ) from error
    try:
        with warnings.catch_warnings():  # it makes tensors of what newer versions of pandas protect
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            return get_dataset(name, root_dir=str(root.parent), download=False)
    except (ValueError, KeyError, AssertionError) as error:  # its own checks are assertions
        raise DataError(
            f"the tables in {str(root)!r} are damaged ({error}): fetch it again"
        ) from error


def _benchmark(
    name: str,
    titles: tuple[str, str],
    data: Any,
    paths: Sequence[Path],
    classnames: Sequence[str],
    templates: tuple[str, ...],
    metrics: tuple[Metric, Metric],
    *,
    groups: Tensor | None = None,
    image_size: int = 224,
    test_images: int | None = None,
    train_per_class: int | None = None,
    seed: int = 0,
) -> Benchmark:
    """Cut a data set as WILDS does; its validation and first test set are of the reference."""
    if data.n_classes != len(classnames):
        raise DataError(
            f"{name!r} has {len(classnames)} classes, and the tables in {str(data.data_dir)!r} "
            f"have {data.n_classes}: fetch it again"
        )
    splits = torch.tensor(data.split_array.tolist())

    def files(split: str, title: str, metric: Metric = "accuracy") -> Files:
        (chosen,) = (splits == data.split_dict[split]).nonzero(as_tuple=True)
        every = Files(title, tuple(paths), data.y_array, groups=groups, metric=metric)
        return every.take(chosen)

    reference, shift = titles
    test = files("id_test", reference, metrics[0]).head(test_images, seed=seed)
    shifted = files("test", shift, metrics[1]).head(test_images, seed=seed)
    return Benchmark(
        name=name,
        classnames=tuple(classnames),
        templates=templates,
        train=files("train", reference).between(0, train_per_class, seed=seed).read(image_size),
        val=files("id_val", reference).read(image_size),
        test=test.read(image_size),
        shifts={shift: shifted.read(image_size)},
    )
