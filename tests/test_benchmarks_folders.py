"""The reader's own folders: classes, shares and choices, and every way to have them wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import trees

from wiseft_tutorial.benchmarks import benchmark_from_folders
from wiseft_tutorial.datafiles.decoding import square
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
        (lambda p: trees.class_folders(p, ["kite"], 3), DataError, "one class only, 'kite'"),
        (
            lambda p: trees.class_folders(p / "photos", FOLDERS, 3),
            DataError,
            r"coffee_mug, kite, tea-pot\. If those are the classes, .*photos.photos",
        ),
        (
            lambda p: (
                trees.class_folders(p / "train" / "photos", FOLDERS, 3)
                and trees.class_folders(p / "test", FOLDERS, 3)
            ),
            DataError,
            "no image lies in a folder of .*train",
        ),
        (lambda p: trees.class_folders(p / "train", FOLDERS, 3), DataError, "the folders train:"),
        (
            lambda p: [trees.class_folders(p / x, FOLDERS, 3) for x in ("train", "test", "valid")],
            DataError,
            "the folders test, train, valid: .* by these names",
        ),
        (
            lambda p: trees.class_folders(p, ["tea pot", "tea_pot"], 3),
            DataError,
            "'tea pot' and 'tea_pot' are two classes of one name, 'tea pot'",
        ),
    ],
)
def test_a_reference_that_will_not_do(
    tmp_path: Path, build: object, error: type[Exception], says: str
) -> None:
    build(tmp_path / "photos")  # type: ignore[operator]
    with pytest.raises(error, match=says):
        benchmark_from_folders(tmp_path / "photos", {}, image_size=16)


def test_damaged_files_of_all_parts_are_named_at_once(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 3)
    prints = trees.class_folders(tmp_path / "prints", FOLDERS, 1)
    damaged = [*(photos / "kite").iterdir(), *(prints / "tea-pot").iterdir()]
    for path in damaged:
        path.write_text("damaged")
    with pytest.raises(DataError) as caught:
        benchmark_from_folders(photos, {"prints": prints}, image_size=16)
    assert all(str(path) in str(caught.value) for path in damaged)


def test_images_may_lie_deeper_than_their_class(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 3)
    more = trees.class_folders(tmp_path / "more", ["on a day"], 4)
    (more / "on a day").rename(photos / "kite" / "on a day")
    bench = benchmark_from_folders(photos, {}, image_size=16)
    assert len(bench.train) + len(bench.val) + len(bench.test) == 13


def test_what_a_system_leaves_in_folders_is_no_image(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 3)
    (photos / "kite" / "._00003.png").write_text("a Mac wrote this")
    (photos / "kite" / ".thumbnails").mkdir()
    (photos / "kite" / ".thumbnails" / "00003.png").write_text("small")
    bench = benchmark_from_folders(photos, {}, image_size=16)
    assert len(bench.train) + len(bench.val) + len(bench.test) == 9


def test_photographs_of_a_kind_that_is_not_read_are_not_lost(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 3)
    (photos / "kite" / "IMG_1.HEIC").write_text("from a telephone")
    with pytest.raises(DataError, match=r"1 photographs .* \(\.HEIC\), such as IMG_1"):
        benchmark_from_folders(photos, {}, image_size=16)


def _burst(path: Path) -> int:
    return int(path.stem) // 4


def test_pictures_of_one_thing_are_dealt_together(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 40)  # numbered from 0 to 119
    apart, together = (
        benchmark_from_folders(photos, {}, image_size=48, keep_together=rule)
        for rule in (None, _burst)
    )
    every = {square(path, 48).tobytes(): _burst(path) for path in photos.rglob("*.png")}
    for bench, shared in ((apart, True), (together, False)):
        found = [
            {every[image.numpy().tobytes()] for image in split.images}
            for split in (bench.train, bench.val, bench.test)
        ]
        assert bool(found[0] & found[1] or found[0] & found[2]) == shared
        assert [len(s) for s in (bench.train, bench.val, bench.test)] == [72, 24, 24]


def test_too_much_kept_together_leaves_nothing_to_test(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 6)
    with pytest.raises(DataError, match="no image of 'coffee_mug' is left for"):
        benchmark_from_folders(
            photos, {}, image_size=16, keep_together=lambda path: path.parent.name
        )


def test_decoded_images_go_where_one_wants_them(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 3)
    benchmark_from_folders(photos, {}, image_size=16, cache=tmp_path / "here")
    assert len(list((tmp_path / "here").glob("*.npy"))) == 3
    assert not (tmp_path / "cache").exists()


def test_a_shift_with_a_class_of_its_own(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 3)
    other = trees.class_folders(tmp_path / "other", ["kite", "kitten"], 3)
    with pytest.raises(DataError, match=r"no classes of the reference: kitten\. Rename"):
        benchmark_from_folders(photos, {"other": other}, image_size=16)


def test_a_name_for_a_folder_that_there_is_not(tmp_path: Path) -> None:
    photos = trees.class_folders(tmp_path / "photos", FOLDERS, 3)
    with pytest.raises(UnknownNameError, match="unknown folder 'kites'; did you mean 'kite'"):
        benchmark_from_folders(photos, {}, classnames={"kites": "toy kite"}, image_size=16)
