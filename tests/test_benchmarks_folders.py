"""The reader's own folders: classes, shares and choices, and every way to have them wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import trees

from wiseft_tutorial.benchmarks import benchmark_from_folders
from wiseft_tutorial.errors import DataError, MissingFileError, UnknownNameError

FOLDERS = ["coffee_mug", "kite", "tea-pot"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path / "cache"))


def test_three_lines_from_folders_to_a_benchmark(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 10, suffix=".jpg")
    prints = trees.class_folders(tmp_path / "prints", FOLDERS, 4, style="Pocket-R")
    bench = benchmark_from_folders(photos, {"prints": prints}, image_size=32)
    assert bench.classnames == ("coffee mug", "kite", "tea pot")
    assert list(bench.distributions) == ["photos", "prints"]
    assert [len(s) for s in (bench.train, bench.val, bench.test)] == [18, 6, 6]
    assert bench.test.images.shape[1:] == (3, 32, 32)
    for split in (bench.train, bench.val, bench.test):
        assert split.labels.bincount().tolist() == [len(split) // 3] * 3
    every = torch.cat([bench.train.images, bench.val.images, bench.test.images])
    assert len({image.numpy().tobytes() for image in every}) == 30


def test_splits_of_ones_own_are_kept(tmp_path: Path) -> None:
    for part, each in (("train", 4), ("val", 2), ("test", 3)):
        trees.class_folders(tmp_path / "photos" / part, FOLDERS, each, seed=each)
    bench = benchmark_from_folders(tmp_path / "photos", {}, image_size=16)
    assert [len(s) for s in (bench.train, bench.val, bench.test)] == [12, 6, 9]


def test_validation_images_come_from_the_training_images_if_need_be(tmp_path: Path) -> None:
    for part, each in (("train", 5), ("test", 3)):
        trees.class_folders(tmp_path / "photos" / part, FOLDERS, each, seed=each)
    bench = benchmark_from_folders(tmp_path / "photos", {}, image_size=16)
    assert [len(s) for s in (bench.train, bench.val, bench.test)] == [12, 3, 9]


def test_a_shift_may_have_some_of_the_classes(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 3)
    few = trees.class_folders(tmp_path / "few", ["coffee_mug", "tea-pot"], 2)
    bench = benchmark_from_folders(photos, {"few": few}, image_size=16)
    assert bench.shifts["few"].classes == (0, 2)
    assert bench.shifts["few"].labels.tolist() == [0, 0, 2, 2]


def test_names_prompts_and_sizes_may_be_given(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 10)
    bench = benchmark_from_folders(
        photos,
        {"again": photos},
        classnames={"kite": "toy kite"},
        templates=["an x-ray of a {}"],
        image_size=16,
        test_images=3,
        train_per_class=2,
        name="toys",
    )
    assert bench.classnames[1] == "toy kite"
    assert bench.templates == ("an x-ray of a {}",)
    assert bench.name == "toys"
    assert [len(s) for s in (bench.train, bench.test, bench.shifts["again"])] == [6, 3, 3]


def test_only_what_is_needed_is_decoded(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 10)
    damaged = sorted((photos / "kite").iterdir())
    for path in damaged:
        path.write_text("damaged")
    with pytest.raises(DataError, match="cannot be read as images"):
        benchmark_from_folders(photos, {}, image_size=16, train_per_class=1, test_images=1)


@pytest.mark.parametrize(
    ("build", "error", "says"),
    [
        (lambda p: None, MissingFileError, "there is no folder"),
        (lambda p: p.mkdir(), DataError, "has no folders; put the images of each class"),
        (lambda p: (p / "kite").mkdir(parents=True), DataError, "kite has no images"),
        (lambda p: trees.class_folders(p, FOLDERS, 2), DataError, "a class needs 3 or more"),
    ],
)
def test_a_reference_that_will_not_do(
    tmp_path: Path, build: object, error: type[Exception], says: str
) -> None:
    build(tmp_path / "photos")  # type: ignore[operator]
    with pytest.raises(error, match=says):
        benchmark_from_folders(tmp_path / "photos", {}, image_size=16)


def test_a_shift_with_a_class_of_its_own(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 3)
    other = trees.class_folders(tmp_path / "other", ["kite", "kitten"], 3)
    with pytest.raises(DataError, match=r"no classes of the reference: kitten\. Rename"):
        benchmark_from_folders(photos, {"other": other}, image_size=16)


def test_a_name_for_a_folder_that_there_is_not(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 3)
    with pytest.raises(UnknownNameError, match="unknown folder 'kites'; did you mean 'kite'"):
        benchmark_from_folders(photos, {}, classnames={"kites": "toy kite"}, image_size=16)
