"""Satellite images and camera traps, from small trees as WILDS lays them out.

The tables are those that the `wilds` package reads, with the columns it looks at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
import trees

from wiseft_tutorial.benchmarks import load_benchmark
from wiseft_tutorial.benchmarks.iwildcam_words import IWILDCAM_NAMES
from wiseft_tutorial.errors import DataError, MissingFileError
from wiseft_tutorial.metrics import score

SMALL = {"image_size": 8}
# Of each image: split, country, when, what. The years after 2013 and 2016 are WILDS's own limits,
# and images that are kept back (seq) have numbers, but are in no split.
LAND = (
    ("train", "FRA", "2002-03-01T10:00:00Z", "airport"),
    ("train", "KEN", "2012-12-31T23:00:00Z", "zoo"),
    ("seq", "FRA", "2010-03-01T10:00:00Z", "zoo"),
    ("train", "KEN", "2014-03-01T10:00:00Z", "dam"),  # too late for the reference
    ("val", "FRA", "2008-03-01T10:00:00Z", "dam"),
    ("val", "FRA", "2015-03-01T10:00:00Z", "zoo"),  # validation under shift; not used
    ("test", "KEN", "2009-03-01T10:00:00Z", "airport_hangar"),
    ("test", "FRA", "2016-01-01T00:00:00Z", "zoo"),
    ("test", "FRA", "2017-03-01T10:00:00Z", "zoo"),
    ("test", "KEN", "2017-03-01T10:00:00Z", "airport"),
    ("test", "XYZ", "2017-03-01T10:00:00Z", "dam"),  # in no region
)
REGIONS = {"FRA": "Europe", "KEN": "Africa"}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _fresh_import() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.split(".")[0] == "wilds":
            del sys.modules[name]


def fmow(root: Path) -> Path:
    place = root / "fmow_v1.1"
    (place / "images").mkdir(parents=True)
    (place / "RELEASE_v1.1.txt").touch()
    columns = ["split", "country_code", "timestamp", "category"]
    pd.DataFrame(LAND, columns=columns).to_csv(place / "rgb_metadata.csv")
    countries = pd.DataFrame(REGIONS.items(), columns=["alpha-3", "region"])
    countries.to_csv(place / "country_code_mapping.csv", index=False)
    for number, pixels in enumerate(trees.drawings(range(len(LAND)))):
        trees.image_of(pixels).save(place / "images" / f"rgb_img_{number}.png")
    return place


def iwildcam(root: Path) -> Path:
    """Every class once in training; five classes in each other split."""
    place = root / "iwildcam_v2.0"
    (place / "train").mkdir(parents=True)
    (place / "RELEASE_v2.0.txt").touch()
    others = [(split, y) for split in ("id_val", "id_test", "val", "test") for y in range(5)]
    rows = [*(("train", y) for y in range(len(IWILDCAM_NAMES))), *others]
    frame = pd.DataFrame(rows, columns=["split", "y"])
    frame["filename"] = [f"{number:04}.jpg" for number in range(len(rows))]
    frame["location_remapped"] = range(len(rows))
    frame["sequence_remapped"] = range(len(rows))
    frame["datetime"] = "2014-05-08 07:15:42.000"
    frame.to_csv(place / "metadata.csv", index=False)
    pictures = trees.drawings([y % 40 for _, y in rows])
    for name, pixels in zip(frame["filename"], pictures, strict=True):
        trees.image_of(pixels, (12, 9)).save(place / "train" / name)
    return place


def test_fmow_is_cut_by_years_and_its_pictures_are_those_of_their_numbers(tmp_path: Path) -> None:
    pytest.importorskip("wilds", reason="the extra wilds is not installed")
    fmow(tmp_path)
    bench = load_benchmark("wilds-fmow", folder=tmp_path, image_size=48)
    names = bench.classnames
    assert len(names) == 62
    assert "airport hangar" in names
    (shift,) = bench.shifts.values()
    of = {"train": bench.train, "val": bench.val, "test": bench.test, "shift": shift}
    said = {key: [names[y] for y in split.labels] for key, split in of.items()}
    assert said == {
        "train": ["airport", "zoo"],
        "val": ["dam"],
        "test": ["airport hangar"],
        "shift": ["zoo", "zoo", "airport", "dam"],
    }
    pictures = trees.drawings(range(len(LAND)))
    assert torch.equal(bench.train.images, pictures[:2])
    assert torch.equal(shift.images, pictures[-4:])
    assert (bench.test.metric, shift.metric) == ("accuracy", "worst-group accuracy")


def test_fmow_counts_the_worst_region_and_no_other(tmp_path: Path) -> None:
    pytest.importorskip("wilds", reason="the extra wilds is not installed")
    fmow(tmp_path)
    (shift,) = load_benchmark("wilds-fmow", folder=tmp_path, **SMALL).shifts.values()
    assert shift.groups is not None
    assert shift.groups.tolist() == [0, 0, 1, -1]  # Europe, Europe, Africa, nowhere
    logits = torch.nn.functional.one_hot(shift.labels, 62).float()
    logits[3] = logits[3].roll(1)  # wrong where it does not count
    assert score(logits, shift).value == 1
    logits[0] = logits[0].roll(1)
    assert (score(logits, shift).value, score(logits, shift).n) == (0.5, 2)


def test_groups_are_those_that_wilds_evaluates(tmp_path: Path) -> None:
    wilds = pytest.importorskip("wilds", reason="the extra wilds is not installed")
    fmow(tmp_path)
    (shift,) = load_benchmark("wilds-fmow", folder=tmp_path, **SMALL).shifts.values()
    data = wilds.get_dataset("fmow", root_dir=str(tmp_path), download=False)
    grouper = data._eval_groupers["region"]
    theirs = grouper.metadata_to_group(data.get_subset("test").metadata_array)
    assert shift.groups is not None
    for ours, group in zip(shift.groups.tolist(), theirs.tolist(), strict=True):
        assert (ours == -1) == ("Other" in grouper.group_field_str(group))
        assert ours in (-1, group)


def test_our_macro_f1_is_that_of_wilds(tmp_path: Path) -> None:
    wilds = pytest.importorskip("wilds", reason="the extra wilds is not installed")
    iwildcam(tmp_path)
    (shift,) = load_benchmark("wilds-iwildcam", folder=tmp_path, **SMALL).shifts.values()
    data = wilds.get_dataset("iwildcam", root_dir=str(tmp_path), download=False)
    part, draw = data.get_subset("test"), torch.Generator().manual_seed(0)
    for _ in range(20):
        logits = torch.randn(len(shift), data.n_classes, generator=draw)
        chosen = torch.rand(len(shift), generator=draw) < 0.6
        logits[chosen, shift.labels[chosen]] = 9
        theirs, _ = data.eval(logits.argmax(dim=1), part.y_array, part.metadata_array)
        assert score(logits, shift).value == pytest.approx(theirs["F1-macro_all"], abs=1e-6)


def test_iwildcam_has_names_and_its_rare_animals_count_as_much(tmp_path: Path) -> None:
    pytest.importorskip("wilds", reason="the extra wilds is not installed")
    iwildcam(tmp_path)
    bench = load_benchmark("wilds-iwildcam", folder=tmp_path, **SMALL)
    assert bench.classnames[:2] == ("empty", "white-lipped peccary")
    assert len(set(bench.classnames)) == 182
    assert len(bench.train) == 182
    (shift,) = bench.shifts.values()
    assert shift.labels.tolist() == bench.test.labels.tolist() == [0, 1, 2, 3, 4]
    assert (bench.test.metric, shift.metric) == ("macro-F1", "macro-F1")
    few = load_benchmark("wilds-iwildcam", folder=tmp_path, test_images=3, **SMALL)
    assert len(few.test) == 3


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingFileError, match=r"54 GB.*wilds\.stanford\.edu.*--datasets fmow"):
        load_benchmark("wilds-fmow", folder=tmp_path)
    place = fmow(tmp_path)
    (place / "country_code_mapping.csv").rename(place / "countries.csv")
    with pytest.raises(DataError, match=r"it has no country_code_mapping\.csv"):
        load_benchmark("wilds-fmow", folder=tmp_path)
    (place / "countries.csv").rename(place / "country_code_mapping.csv")
    monkeypatch.setitem(sys.modules, "wilds", None)
    with pytest.raises(DataError, match=r"pip install 'wiseft-tutorial\[wilds\]'"):
        load_benchmark("wilds-fmow", folder=tmp_path)


def test_damaged_tables_and_lost_pictures_are_named(tmp_path: Path) -> None:
    pytest.importorskip("wilds", reason="the extra wilds is not installed")
    place = iwildcam(tmp_path)
    (place / "train" / "0003.jpg").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"0003\.jpg"):
        load_benchmark("wilds-iwildcam", folder=tmp_path, **SMALL)
    table = pd.read_csv(place / "metadata.csv")
    few = table[table["y"] < 100].reset_index(drop=True)
    few.to_csv(place / "metadata.csv", index=False)  # its cameras have gaps in their numbers
    with pytest.raises(DataError, match="damaged"):
        load_benchmark("wilds-iwildcam", folder=tmp_path, **SMALL)
    few = few.assign(location_remapped=few.index, sequence_remapped=few.index)
    few.to_csv(place / "metadata.csv", index=False)
    with pytest.raises(DataError, match=r"has 182 classes, and the tables in .* have 100"):
        load_benchmark("wilds-iwildcam", folder=tmp_path, **SMALL)
    table.drop(columns="y").to_csv(place / "metadata.csv", index=False)
    with pytest.raises(DataError, match="damaged"):
        load_benchmark("wilds-iwildcam", folder=tmp_path, **SMALL)
