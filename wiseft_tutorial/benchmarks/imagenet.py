"""ImageNet and its natural shifts, each with the classes that it has.

ImageNet-R and -A have 200 of the 1,000 classes. ObjectNet has 113 classes of its own, each of which
is one or several of ImageNet's; ImageNet-Vid-Robust and YTBB-Robust have 30 and 23. There the
largest of the logits that are one class counts, and all other classes are no answer.

Explained in: chapter 15.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from wiseft_tutorial.benchmarks.benchmark import Benchmark
from wiseft_tutorial.benchmarks.files import Files, files_in
from wiseft_tutorial.datafiles.sources import require
from wiseft_tutorial.errors import DataError, unknown
from wiseft_tutorial.imagenet_words import (
    imagenet_classnames,
    imagenet_folders,
    imagenet_templates,
)

__all__ = ["SHIFTS", "imagenet", "vid_robust", "ytbb_robust"]

_CLASSES = 1000
_BORDER = 2  # pixels: ObjectNet's red frame, which marks its images as not for training
_OBJECTNET_MAPS = (
    "folder_to_objectnet_label.json",
    "objectnet_to_imagenet_1k.json",
    "imagenet_to_label_2012_v2",
    "pytorch_to_imagenet_2012_id.json",
)
_VID_MAPS = (
    "misc/rev_wnid_map.json",
    "misc/imagenet_vid_class_index.json",
    "metadata/labels.json",
    "metadata/pmsets.json",
)
_YTBB_FILES = ("anchor_labels.json", "ytbb_robustness_test_anchors_full.csv")
_YTBB_CLASSES: dict[str, tuple[int, ...]] = {
    "person": (981, 982, 983),
    "bird": (*range(7, 25), *range(80, 101), *range(127, 147)),
    "bicycle": (444, 671),
    "boat": (472, 554, 576, 625, 814, 914),
    "bus": (654, 779, 874),
    "bear": (294, 295, 296, 297),
    "cat": tuple(range(281, 288)),
    "potted plant": (985, 986),
    "horse": (339,),
    "motorcycle": (665,),
    "knife": (499, 623),
    "airplane": (404,),
    "train": (466,),
    "truck": (555, 569, 675, 717, 734, 864, 867),
    "zebra": (340,),
    "dog": tuple(range(151, 269)),
    "elephant": (385, 386),
    "umbrella": (879,),
    "car": (407, 436, 468, 511, 609, 627, 656, 661, 751, 817),
}
_YTBB_NUMBERS = (  # of the names, as the annotations count them
    *("person", "bird", "bicycle", "boat", "bus", "bear", "cow", "cat", "giraffe", "potted plant"),
    *("horse", "motorcycle", "knife", "airplane", "skateboard", "train", "truck", "zebra"),
    *("toilet", "dog", "elephant", "umbrella", "car", "none"),
)


def imagenet(
    *,
    shifts: Sequence[str] = (
        "imagenet-v2",
        "imagenet-r",
        "imagenet-sketch",
        "objectnet",
        "imagenet-a",
    ),
    image_size: int = 224,
    test_images: int | None = None,
    train_per_class: int | None = None,
    val_per_class: int = 10,
    folder: Path | None = None,
    seed: int = 0,
    name: str = "imagenet",
) -> Benchmark:
    """ImageNet, and as shifts those that the paper has, or some of them.

    Args:
        shifts: Of :data:`SHIFTS`; each has to be in the data folder.
        image_size: Of the decoded images, such as 336 for ViT-L/14@336px.
        test_images: Of each test set, all classes as often; ``None`` means all.
        train_per_class: Training images of each class, less those of ``val``; ``None`` means all,
            193 GB once decoded.
        val_per_class: Training images of each class held out to choose on.
        folder: The data folder; ``None`` means :func:`wiseft_tutorial.data_folder`.
        seed: Which images are held out, and which are taken where not all are.
        name: Of the benchmark.

    Source: section 2. Explained in: chapter 15.
    """
    for shift in shifts:
        if shift not in SHIFTS:
            raise unknown("shift of ImageNet", shift, SHIFTS)
    root = require("imagenet", ["train", "val"], folder=folder)
    train = _complete(files_in(root / "train", imagenet_folders(), "ImageNet"), root / "train")
    test = _complete(files_in(root / "val", imagenet_folders(), "ImageNet"), root / "val")
    last = None if train_per_class is None else val_per_class + train_per_class
    tests = [test, *(SHIFTS[shift](folder) for shift in shifts)]
    reference, *shifted = (files.head(test_images, seed=seed).read(image_size) for files in tests)
    return Benchmark(
        name=name,
        classnames=imagenet_classnames(),
        templates=tuple(template("{}") for template in imagenet_templates()),
        train=train.between(val_per_class, last, seed=seed).read(image_size),
        val=train.between(0, val_per_class, seed=seed).read(image_size),
        test=reference,
        shifts={split.name: split for split in shifted},
    )


vid_robust = partial(imagenet, shifts=("imagenet-vid-robust",), name="imagenet-vid-robust")
ytbb_robust = partial(imagenet, shifts=("ytbb-robust",), name="ytbb-robust")


def _v2(folder: Path | None) -> Files:
    root = require("imagenet-v2", folder=folder)
    return files_in(root, [str(number) for number in range(_CLASSES)], "ImageNet-V2")


def _by_folder(source: str, title: str, folder: Path | None) -> Files:
    return files_in(require(source, folder=folder), imagenet_folders(), title)


def _objectnet(folder: Path | None) -> Files:
    """Those of ObjectNet's folders whose class is one or several of ImageNet's."""
    needed = ["images", *(f"mappings/{name}" for name in _OBJECTNET_MAPS)]
    root = require("objectnet", needed, folder=folder)
    maps = root / "mappings"
    label_of, spelt, numbers = (_json(maps / _OBJECTNET_MAPS[i]) for i in (0, 1, 3))
    place = {int(imagenet_id): int(number) for number, imagenet_id in numbers.items()}
    lines = (maps / _OBJECTNET_MAPS[2]).read_text().splitlines()
    number_of = {line.strip(): place[i] for i, line in enumerate(lines)}
    members = {
        label: tuple(sorted(number_of[name.strip()] for name in names.split(";")))
        for label, names in spelt.items()
    }
    known = {where: members[label] for where, label in label_of.items() if label in members}
    there = sorted(path.name for path in (root / "images").iterdir() if path.is_dir())
    every = files_in(root / "images", there, "ObjectNet", border=_BORDER)
    kept = [i for i, label in enumerate(every.labels.tolist()) if there[label] in known]
    first = torch.tensor([known[where][0] if where in known else -1 for where in there])
    files = every.take(torch.tensor(kept))
    return _merged(files, first[files.labels], known.values())


def _vid(folder: Path | None) -> Files:
    """The anchor frames of ImageNet-Vid-Robust, on which its pm-0 is measured."""
    root = require("imagenet-vid-robust", ["val", *_VID_MAPS], folder=folder)
    members_of, index, labels, sets = (_json(root / name) for name in _VID_MAPS)
    number = {wnid: i for i, wnid in enumerate(imagenet_folders())}
    classes = {
        int(i): tuple(sorted(number[member] for member in members_of[wnid]))
        for i, (wnid, *_) in index.items()
    }
    frames = {frame: [classes[label] for label in labels[frame]] for frame in sorted(sets)}
    return _with_answers("ImageNet-Vid-Robust", root, frames, classes.values())


def _ytbb(folder: Path | None) -> Files:
    """The anchor frames of YTBB-Robust that its annotators found good."""
    root = require("ytbb-robust", ["ytbb_videos", *_YTBB_FILES], folder=folder)
    found = _json(root / _YTBB_FILES[0])
    words = found["labels"]
    with (root / _YTBB_FILES[1]).open(newline="") as file:
        first = {
            f"{row['ytid']}_{row['time_ms']}": _YTBB_NUMBERS[int(row["label"])]
            for row in csv.DictReader(file)
        }
    frames = {}
    # A frame that was looked at twice has two entries, of which the later counts.
    for key, note in {row["key"]: row for row in found["annotations"]}.items():
        said = {words[i] for i in note["labels"]}
        if "good" in said and not said & {"bad", "unsure"}:
            frame = "/".join(Path(key).parts[-2:])
            things = {first[frame.split("/")[0]], *said} & set(_YTBB_CLASSES)
            if things:
                frames[f"ytbb_videos/{frame}"] = [_YTBB_CLASSES[thing] for thing in sorted(things)]
    return _with_answers("YTBB-Robust", root, frames, _YTBB_CLASSES.values())


SHIFTS: Mapping[str, Callable[[Path | None], Files]] = {
    "imagenet-v2": _v2,
    "imagenet-r": partial(_by_folder, "imagenet-r", "ImageNet-R"),
    "imagenet-sketch": partial(_by_folder, "imagenet-sketch", "ImageNet-Sketch"),
    "objectnet": _objectnet,
    "imagenet-a": partial(_by_folder, "imagenet-a", "ImageNet-A"),
    "imagenet-vid-robust": _vid,
    "ytbb-robust": _ytbb,
}
"""ImageNet's shifts: for each name, what finds its files in a data folder."""


def _merged(files: Files, labels: torch.Tensor, members: Any) -> Files:
    """The same files, their classes made of one or several of ImageNet's."""
    groups = sorted(set(members))
    return replace(
        files,
        labels=labels,
        classes=tuple(sorted(chain.from_iterable(groups))),
        together=tuple(group for group in groups if len(group) > 1),
    )


def _with_answers(
    title: str, root: Path, frames: Mapping[str, Sequence[tuple[int, ...]]], members: Any
) -> Files:
    """Frames of videos, each with the classes that are right for it."""
    if not frames:
        raise DataError(f"{str(root)!r} names no frame of {title}")
    answers = torch.zeros(len(frames), _CLASSES, dtype=torch.bool)
    for row, groups in zip(answers, frames.values(), strict=True):
        row[[group[0] for group in groups]] = True
    labels = torch.tensor([groups[0][0] for groups in frames.values()])
    files = Files(title, tuple(root / frame for frame in frames), labels)
    return replace(_merged(files, labels, members), answers=answers)


def _complete(files: Files, root: Path) -> Files:
    if files.classes is not None:
        raise DataError(
            f"{str(root)!r} has folders of {len(files.classes)} classes, and ImageNet has "
            f"{_CLASSES}: unpack the rest of it"
        )
    return files


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"{str(path)!r} is no JSON ({error}): fetch it again") from error
