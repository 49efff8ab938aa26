"""ImageNet and its shifts, from small trees in their true layouts.

Every tree has few images, but the classes that it should: what is tested is which class an image
belongs to, and which answers count.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
import trees
from PIL import Image
from torch import Tensor

from wiseft_tutorial.benchmarks import Benchmark, load_benchmark
from wiseft_tutorial.benchmarks.imagenet import SHIFTS
from wiseft_tutorial.datafiles.decoding import square
from wiseft_tutorial.datafiles.sources import SOURCES
from wiseft_tutorial.errors import DataError, MissingFileError, UnknownNameError
from wiseft_tutorial.imagenet_words import imagenet_folders
from wiseft_tutorial.metrics import score

WNIDS = imagenet_folders()
SMALL = {"image_size": 8, "val_per_class": 1}
# Of ObjectNet's real mapping: one class that is two of ImageNet's, two that are one, one that is
# none; and the numbers of these in ImageNet.
OBJECTNET = {"Backpack": "backpack, back pack", "Chair": "folding chair; rocking chair, rocker"}
NUMBER = {"backpack, back pack": 414, "folding chair": 559, "rocking chair, rocker": 765}


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WISEFT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    how = {"size": (10, 8), "suffix": ".JPEG"}
    trees.class_folders(root / "imagenet" / "train", WNIDS, 2, **how)  # type: ignore[arg-type]
    trees.class_folders(root / "imagenet" / "val", WNIDS, 1, seed=1, **how)  # type: ignore[arg-type]
    v2 = root / SOURCES["imagenet-v2"].folder
    trees.class_folders(v2, [str(i) for i in range(1000)], 1, seed=2, size=(8, 8), suffix=".jpeg")
    trees.class_folders(root / "imagenet-r", WNIDS[1:400:2], 1, seed=3, size=(8, 8))
    (root / "imagenet-r" / "README.txt").write_text("about")
    trees.class_folders(root / "imagenet-a", WNIDS[6:406:2], 1, seed=4, size=(8, 8))
    trees.class_folders(root / "sketch", WNIDS, 1, seed=5, size=(8, 8))
    objectnet(root / "objectnet-1.0")
    vid(root / "imagenet-vid-robust")
    ytbb(root / "ytbb-robust")
    return root


def objectnet(root: Path) -> None:
    trees.class_folders(root / "images", ["backpack", "chair", "plate_rack"], 2, size=(14, 12))
    labels = {"backpack": "Backpack", "chair": "Chair", "plate_rack": "Plate rack"}
    trees.write_json(root / "mappings" / "folder_to_objectnet_label.json", labels)
    trees.write_json(root / "mappings" / "objectnet_to_imagenet_1k.json", OBJECTNET)
    # The file of names is in another order than ImageNet's numbers; a fourth file translates.
    names = [f"thing {i}" for i in range(1000)]
    place = {number: (number + 7) % 1000 for number in range(1000)}
    for name, number in NUMBER.items():
        names[place[number]] = name
    (root / "mappings" / "imagenet_to_label_2012_v2").write_text("\n".join(names))
    translated = {str(number): where for number, where in place.items()}
    trees.write_json(root / "mappings" / "pytorch_to_imagenet_2012_id.json", translated)


def vid(root: Path) -> None:
    pictures = trees.drawings([0, 1, 2], seed=6)
    for number, pixels in enumerate(pictures):
        path = root / "val" / "video" / f"{number:06}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        trees.image_of(pixels, (12, 8)).save(path)
    trees.write_json(root / "misc" / "rev_wnid_map.json", {"v1": WNIDS[3:5], "v2": WNIDS[8:9]})
    index = {"0": ["v1", "fish"], "1": ["v2", "hen"]}
    trees.write_json(root / "misc" / "imagenet_vid_class_index.json", index)
    frames = [f"val/video/{number:06}.JPEG" for number in range(3)]
    labels = {frames[0]: [0], frames[1]: [1], frames[2]: [1, 0]}
    trees.write_json(root / "metadata" / "labels.json", labels)
    trees.write_json(root / "metadata" / "pmsets.json", {frames[2]: frames[1:2], frames[0]: []})


def ytbb(root: Path) -> None:
    words = ["good", "bad", "unsure", "person"]
    keys = [f"v{number}_{100 * number}/frame-{number}.jpg" for number in range(4)]
    for key, pixels in zip(keys, trees.drawings(range(4), seed=7), strict=True):
        path = root / "ytbb_videos" / key
        path.parent.mkdir(parents=True)
        trees.image_of(pixels, (12, 8)).save(path)
    notes = [[0], [0, 3], [1], [0]]
    rows = [{"key": key, "labels": note} for key, note in zip(keys, notes, strict=True)]
    rows.insert(0, {"key": keys[0], "labels": [1]})  # a later look at a frame replaces this one
    trees.write_json(root / "anchor_labels.json", {"annotations": rows, "labels": words})
    lines = ["ytid,time_ms,label", "v0,0,22", "v1,100,19", "v2,200,7", "v3,300,23"]
    (root / "ytbb_robustness_test_anchors_full.csv").write_text("\n".join(lines))


def logits(*answers: Sequence[int]) -> Tensor:
    """For each image the classes that a model prefers, the dearest first."""
    found = torch.zeros(len(answers), 1000)
    for row, classes in zip(found, answers, strict=True):
        for rank, number in enumerate(classes):
            row[number] = 10 - rank
    return found


@pytest.fixture(scope="module")
def bench(folder: Path) -> Benchmark:
    return load_benchmark("imagenet", folder=folder, **SMALL)


def test_classes_are_numbered_as_imagenet_numbers_them(bench: Benchmark) -> None:
    assert len(bench.classnames) == len(WNIDS) == 1000
    assert (WNIDS[0], bench.classnames[0]) == ("n01440764", "tench")
    assert (WNIDS[-1], bench.classnames[-1]) == ("n15075141", "toilet paper")
    assert len(bench.templates) == 80
    assert bench.templates[0] == "a bad photo of a {}."


def test_the_five_shifts_of_the_paper(bench: Benchmark) -> None:
    names = ["V2", "R", "Sketch", "A"]
    assert sorted(bench.shifts) == sorted([*(f"ImageNet-{name}" for name in names), "ObjectNet"])
    assert [len(split) for split in (bench.train, bench.val, bench.test)] == [1000] * 3
    assert bench.test.labels.tolist() == list(range(1000))


def test_v2_is_numbered_and_not_sorted_as_text(bench: Benchmark) -> None:
    v2 = bench.shifts["ImageNet-V2"]
    assert v2.labels.tolist() == list(range(1000))
    assert v2.classes is None


@pytest.mark.parametrize(("shift", "first"), [("ImageNet-R", 1), ("ImageNet-A", 6)])
def test_r_and_a_have_two_hundred_classes(bench: Benchmark, shift: str, first: int) -> None:
    split = bench.shifts[shift]
    assert split.classes == tuple(range(first, first + 400, 2)[:200])
    assert split.labels.tolist() == list(split.classes)
    # A class that the shift lacks is no answer, however dear it is to the model.
    lacks, has = first + 1, first
    masked = split.mask(logits([lacks, has]))
    assert int(masked.argmax()) == has


def test_objectnet_takes_the_largest_of_the_logits_that_are_one_class(bench: Benchmark) -> None:
    split = bench.shifts["ObjectNet"]
    assert len(split) == 4  # the plate rack is none of ImageNet's
    assert split.labels.tolist() == [414, 414, 559, 559]
    assert split.classes == (414, 559, 765)
    answers = logits([0, 414], [0, 765], [765], [414])
    assert score(split.mask(answers), split).value == 0.5
    assert torch.isneginf(split.mask(answers)).sum() == 4 * 998


def test_objectnets_red_border_is_cut_off(folder: Path, tmp_path: Path) -> None:
    path = next((folder / "objectnet-1.0" / "images" / "chair").iterdir())
    with Image.open(path) as image:
        inside = image.crop((2, 2, 12, 10))
        framed = Image.new("RGB", image.size, "red")
    framed.paste(inside, (2, 2))
    inside.save(tmp_path / "inside.png")
    framed.save(path)
    (split,) = load_benchmark(
        "imagenet", folder=folder, shifts=["objectnet"], **SMALL
    ).shifts.values()
    expected = torch.from_numpy(square(tmp_path / "inside.png", 8).copy())
    assert any(torch.equal(image, expected) for image in split.images)


def test_the_reference_on_the_classes_of_a_shift(bench: Benchmark) -> None:
    positions, labels = bench.matched("ImageNet-R")
    assert positions.tolist() == labels.tolist() == list(range(1, 401, 2))
    positions, labels = bench.matched("ObjectNet")
    assert positions.tolist() == [414, 559, 765]
    assert labels.tolist() == [414, 559, 559]
    with pytest.raises(UnknownNameError, match="ImageNet-R"):
        bench.matched("ImageNet-S")


def test_only_the_anchors_of_videos_are_measured(folder: Path) -> None:
    bench = load_benchmark("imagenet-vid-robust", folder=folder, **SMALL)
    (split,) = bench.shifts.values()
    assert split.name == "ImageNet-Vid-Robust"
    assert len(split) == 2  # the third frame is a neighbour of the second
    assert split.classes == (3, 4, 8)
    # The first anchor shows a fish, classes 3 and 4; the second a hen and a fish.
    assert score(split.mask(logits([4], [3])), split).value == 1
    assert score(split.mask(logits([8], [8])), split).value == 0.5
    assert score(split.mask(logits([9, 4], [9, 8])), split).value == 1


def test_frames_that_annotators_rejected_are_left_out(folder: Path) -> None:
    bench = load_benchmark("ytbb-robust", folder=folder, **SMALL)
    (split,) = bench.shifts.values()
    # v0 is a car, as its later annotation says good; v1 a dog and a person; v2 is bad, and v3 none.
    assert len(split) == 2
    assert score(split.mask(logits([817], [200])), split).value == 1
    assert score(split.mask(logits([340], [982])), split).value == 0.5


def test_few_images_are_chosen_before_any_is_read(folder: Path) -> None:
    bench = load_benchmark(
        "imagenet", folder=folder, shifts=["imagenet-a"], test_images=20, train_per_class=1, **SMALL
    )
    assert [len(split) for split in (bench.test, *bench.shifts.values())] == [20, 20]
    assert len(bench.train) == 1000


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"ImageNet .* register there"):
        load_benchmark("imagenet", folder=tmp_path)
    with pytest.raises(UnknownNameError, match="'imagenet-a'"):
        load_benchmark("imagenet", folder=folder, shifts=["imagenet-b"])
    for part in ("train", "val"):
        trees.class_folders(tmp_path / "imagenet" / part, WNIDS[:3], 2, size=(8, 8))
    with pytest.raises(DataError, match=r"folders of 3 classes, and ImageNet has 1000"):
        load_benchmark("imagenet", folder=tmp_path)


def test_a_folder_that_is_no_class(folder: Path) -> None:
    strange = trees.class_folders(folder / "imagenet-a", ["n00000000"], 1, size=(8, 8))
    try:
        with pytest.raises(DataError, match="n00000000"):
            load_benchmark("imagenet", folder=folder, shifts=["imagenet-a"], **SMALL)
    finally:
        shutil.rmtree(strange / "n00000000")


def test_every_shift_has_a_source() -> None:
    assert set(SHIFTS) <= set(SOURCES)
