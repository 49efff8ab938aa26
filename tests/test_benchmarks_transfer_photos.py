"""Cars, textures, scenes and food, from small trees in the layouts that torchvision reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trees
from scipy.io import savemat

from wiseft_tutorial.benchmarks import load_benchmark
from wiseft_tutorial.errors import DataError, MissingFileError

FEW = {"image_size": 16, "val_per_class": 1}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path / "cache"))


def dtd(root: Path) -> Path:
    place = root / "dtd" / "dtd"
    trees.class_folders(place / "images", ["banded", "cracked"], 6, suffix=".jpg")
    files = sorted(path.relative_to(place / "images") for path in place.rglob("*.jpg"))
    (place / "labels").mkdir()
    for offset, part in enumerate(("train", "val", "test")):
        lines = [str(file) for file in files[offset::3]]
        (place / "labels" / f"{part}1.txt").write_text("\n".join(lines))
    return place / "images" / "banded"


def food101(root: Path) -> Path:
    place = root / "food-101"
    trees.class_folders(place / "images", ["apple_pie", "fried_rice"], 6, suffix=".jpg")
    parts: dict[str, dict[str, list[str]]] = {"train": {}, "test": {}}
    for folder in sorted((place / "images").iterdir()):
        names = [f"{folder.name}/{path.stem}" for path in sorted(folder.iterdir())]
        parts["train"][folder.name], parts["test"][folder.name] = names[:4], names[4:]
    for part, listed in parts.items():
        trees.write_json(place / "meta" / f"{part}.json", listed)
    return place / "images" / "apple_pie"


def sun397(root: Path) -> Path:
    place = root / "SUN397"
    names = ["/a/abbey", "/b/bar/outdoor"]
    trees.class_folders(place, [name[1:] for name in names], 6, suffix=".jpg")
    for path in place.rglob("*.jpg"):
        path.rename(path.with_name(f"sun_{path.name}"))
    (place / "ClassName.txt").write_text("\n".join(names))
    files = sorted(f"/{path.relative_to(place)}" for path in place.rglob("*.jpg"))
    for file, lines in (("Training_01.txt", files[::2]), ("Testing_01.txt", files[1::2])):
        (place / file).write_text("\n".join(lines))
    return place / "a" / "abbey"


def cars(root: Path) -> Path:
    place = root / "stanford_cars"
    (place / "devkit").mkdir(parents=True)
    classes = np.array(["Acme Coupe 2012", "Ford F-150"], dtype=object)
    savemat(place / "devkit" / "cars_meta.mat", {"class_names": classes})
    annotations = (
        place / "devkit" / "cars_train_annos.mat",
        place / "cars_test_annos_withlabels.mat",
    )
    for part, file in zip(("train", "test"), annotations, strict=True):
        trees.class_folders(place / f"cars_{part}", ["."], 6, suffix=".jpg")
        rows = np.zeros(6, dtype=[("class", "O"), ("fname", "O")])
        for number, path in enumerate(sorted((place / f"cars_{part}").iterdir())):
            rows[number] = (number % 2 + 1, path.name)
        savemat(file, {"annotations": rows})
    return place / "cars_train"


LAYOUTS: dict[str, tuple[Callable[[Path], Path], tuple[str, str], tuple[int, int, int]]] = {
    "dtd": (dtd, ("banded", "cracked"), (4, 4, 4)),
    "food101": (food101, ("apple pie", "fried rice"), (6, 2, 4)),
    "sun397": (sun397, ("abbey", "bar outdoor"), (4, 2, 6)),
    "cars": (cars, ("Acme Coupe 2012", "Ford F-150"), (4, 2, 6)),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_classes_and_parts_are_the_official_ones(name: str, tmp_path: Path) -> None:
    layout, classnames, sizes = LAYOUTS[name]
    layout(tmp_path)
    bench = load_benchmark(name, folder=tmp_path, **FEW)
    assert bench.classnames == classnames
    assert tuple(len(split) for split in (bench.train, bench.val, bench.test)) == sizes
    for split in (bench.train, bench.val, bench.test):
        assert split.labels.bincount().tolist() == [len(split) // 2] * 2
        assert split.images.shape[1:] == (3, 16, 16)
    assert all("{}" in template for template in bench.templates)
    assert not bench.shifts


@pytest.mark.parametrize("name", LAYOUTS)
def test_few_images_are_as_many_of_each_class(name: str, tmp_path: Path) -> None:
    LAYOUTS[name][0](tmp_path)
    bench = load_benchmark(name, folder=tmp_path, train_per_class=1, test_images=2, **FEW)
    assert bench.train.labels.sort().values.tolist() == [0, 1]
    assert bench.test.labels.sort().values.tolist() == [0, 1]


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_is_missing_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"is not in .*WISEFT_DATA"):
        load_benchmark(name, folder=tmp_path)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_damaged_image_is_named(name: str, tmp_path: Path) -> None:
    folder = LAYOUTS[name][0](tmp_path)
    for path in folder.iterdir():
        path.write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"cannot be read as images: .*\.jpg"):
        load_benchmark(name, folder=tmp_path, **FEW)


def test_a_list_of_files_that_are_not_there(tmp_path: Path) -> None:
    sun397(tmp_path)
    with (tmp_path / "SUN397" / "Testing_01.txt").open("a") as file:
        file.write("\n/a/abbey/sun_none.jpg")
    with pytest.raises(DataError, match=r"lists .*sun_none\.jpg"):
        load_benchmark("sun397", folder=tmp_path, **FEW)


def test_a_list_that_is_damaged(tmp_path: Path) -> None:
    food101(tmp_path)
    (tmp_path / "food-101" / "meta" / "train.json").write_text("{")
    with pytest.raises(DataError, match="does not hold Food101 as torchvision knows it"):
        load_benchmark("food101", folder=tmp_path, **FEW)
