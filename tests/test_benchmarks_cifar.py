"""CIFAR from files in its own layout: classes in order, splits apart, and nothing unpickled."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import trees

from wiseft_tutorial.benchmarks import load_benchmark
from wiseft_tutorial.errors import CheckpointError, DataError, MissingFileError

HELD_OUT = {"val_per_class": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trees.cifar10(tmp_path_factory.mktemp("data"))


def test_the_layout_is_understood(folder: Path) -> None:
    bench = load_benchmark("cifar10", folder=folder, **HELD_OUT)
    assert bench.classnames[:3] == ("airplane", "automobile", "bird")
    assert list(bench.distributions) == ["CIFAR-10", "CIFAR-10.1", "CIFAR-10.2"]
    assert bench.image_size == 32
    assert len(bench.templates) == 18
    assert (len(bench.train), len(bench.val), len(bench.test)) == (70, 30, 20)
    assert bench.val.labels.bincount().tolist() == [3] * 10
    batch = pickle.loads((folder / "cifar-10-batches-py" / "test_batch").read_bytes())
    red = torch.from_numpy(batch[b"data"][5][:1024]).view(32, 32)
    assert torch.equal(bench.test.images[5][0], red)
    assert int(bench.test.labels[5]) == 5


def test_train_and_val_share_no_image(folder: Path) -> None:
    bench = load_benchmark("cifar10", folder=folder, **HELD_OUT)
    train, val = ({image.numpy().tobytes() for image in s.images} for s in (bench.train, bench.val))
    assert (len(train), len(val)) == (70, 30)
    assert not train & val


def test_the_replications_are_read_as_they_are_laid_out(folder: Path) -> None:
    shifts = load_benchmark("cifar10", folder=folder, **HELD_OUT).shifts
    first = np.load(folder / "CIFAR-10.1" / "cifar10.1_v6_data.npy")
    assert np.array_equal(shifts["CIFAR-10.1"].images.permute(0, 2, 3, 1).numpy(), first)
    second = shifts["CIFAR-10.2"]  # our file has the same images in the opposite order
    assert np.array_equal(second.images.flip(0).permute(0, 2, 3, 1).numpy(), first)
    assert second.labels[0] == shifts["CIFAR-10.1"].labels[-1]


def test_few_images_are_a_seeded_choice(folder: Path) -> None:
    few = {"folder": folder, "test_images": 10, "train_per_class": 2, **HELD_OUT}
    one, same = (load_benchmark("cifar10", **few) for _ in range(2))
    other = load_benchmark("cifar10", seed=1, **few)
    assert torch.equal(one.train.images, same.train.images)
    assert not torch.equal(one.train.images, other.train.images)
    assert one.train.labels.bincount().tolist() == [2] * 10
    assert not torch.equal(one.train.labels, one.train.labels.sort().values)  # shuffled
    for split in one.distributions.values():
        assert split.labels.bincount().tolist() == [1] * 10


def test_cifar_100_has_no_shifts(tmp_path: Path) -> None:
    place = tmp_path / "cifar-100-python"
    place.mkdir()
    for file in ("train", "test"):
        labels = [i % 100 for i in range(200)]
        data = np.zeros((200, 3072), dtype=np.uint8)
        batch = {b"data": data, b"fine_labels": labels, b"coarse_labels": labels}
        (place / file).write_bytes(pickle.dumps(batch, 2))
    names = {b"fine_label_names": [f"big_thing_{i}".encode() for i in range(100)]}
    (place / "meta").write_bytes(pickle.dumps(names, 2))
    bench = load_benchmark("cifar100", folder=tmp_path, val_per_class=1)
    assert bench.classnames[7] == "big thing 7"
    assert (len(bench.train), len(bench.val), len(bench.test)) == (100, 100, 200)
    assert not bench.shifts


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="wiseft download cifar10`"):
        load_benchmark("cifar10", folder=tmp_path)
    trees.cifar10(tmp_path / "some")
    (tmp_path / "some" / "cifar-10-batches-py" / "data_batch_3").unlink()
    with pytest.raises(DataError, match="it has no data_batch_3"):
        load_benchmark("cifar10", folder=tmp_path / "some")
    trees.cifar10(tmp_path / "more")
    (tmp_path / "more" / "CIFAR-10.2" / "cifar102_test.npz").unlink()
    with pytest.raises(DataError, match=r"it has no cifar102_test\.npz"):
        load_benchmark("cifar10", folder=tmp_path / "more")


@pytest.mark.parametrize(
    "file",
    [
        "cifar-10-batches-py/data_batch_1",
        "CIFAR-10.1/cifar10.1_v6_data.npy",
        "CIFAR-10.2/cifar102_test.npz",
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, file: str) -> None:
    path = trees.cifar10(tmp_path) / file
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CheckpointError, match=path.name):
        load_benchmark("cifar10", folder=tmp_path, **HELD_OUT)


def test_a_pickle_of_something_else(tmp_path: Path) -> None:
    path = trees.cifar10(tmp_path) / "cifar-10-batches-py" / "test_batch"
    path.write_bytes(pickle.dumps({b"fruit": "lemon"}, 2))
    with pytest.raises(DataError, match="test_batch' is no batch of CIFAR"):
        load_benchmark("cifar10", folder=tmp_path, **HELD_OUT)
