"""Folders of real image files in the layouts of real data sets, drawn by Pocket."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from wiseft_tutorial._torchvision import ensure_torchvision
from wiseft_tutorial.pocket.drawing import draw
from wiseft_tutorial.pocket.objects import POCKET_CLASSES
from wiseft_tutorial.pocket.styles import STYLES


def drawings(labels: Sequence[int], *, style: str = "Pocket", seed: int = 0) -> Tensor:
    """Pictures of Pocket's objects: (N, 3, 48, 48) uint8."""
    things = torch.tensor(POCKET_CLASSES)[torch.tensor(list(labels))]
    return draw(things, STYLES[style], torch.Generator().manual_seed(seed)).images


def image_of(pixels: Tensor, size: tuple[int, int] = (48, 48)) -> Image.Image:
    """A picture that Pillow can write, of some width and height."""
    return Image.fromarray(pixels.permute(1, 2, 0).numpy()).resize(size)


def class_folders(
    root: Path,
    folders: Sequence[str],
    each: int,
    *,
    style: str = "Pocket",
    seed: int = 0,
    suffix: str = ".png",
    size: tuple[int, int] = (60, 48),
) -> Path:
    """A folder for each class, with some images of one object in each."""
    labels = [i for i in range(len(folders)) for _ in range(each)]
    pictures = drawings([label % len(POCKET_CLASSES) for label in labels], style=style, seed=seed)
    for number, (label, pixels) in enumerate(zip(labels, pictures, strict=True)):
        path = root / folders[label] / f"{number:05}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        image_of(pixels, size).save(path)
    return root


def cifar10(root: Path, *, each: int = 2, classes: int = 10) -> Path:
    """CIFAR-10, -10.1 and -10.2 in small: as many images of each class in every file."""
    place = root / "cifar-10-batches-py"
    place.mkdir(parents=True)
    names = ["airplane", "automobile", "bird", "cat", "deer"]
    names += ["dog", "frog", "horse", "ship", "truck"]
    labels = [i % classes for i in range(each * classes)]
    for number, file in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        pixels = drawings(labels, seed=number)[:, :, ::2, ::2]  # 24 pixels, in a frame of 32
        whole = torch.zeros(len(labels), 3, 32, 32, dtype=torch.uint8)
        whole[:, :, 4:28, 4:28] = pixels
        batch = {b"data": whole.flatten(1).numpy(), b"labels": labels, b"batch_label": b"a batch"}
        (place / file).write_bytes(pickle.dumps(batch, protocol=2))
    meta = {b"label_names": [name.encode() for name in names], b"num_vis": 3072}
    (place / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8)
    for folder in ("CIFAR-10.1", "CIFAR-10.2"):
        (root / folder).mkdir()
    np.save(root / "CIFAR-10.1" / "cifar10.1_v6_data.npy", images)
    np.save(root / "CIFAR-10.1" / "cifar10.1_v6_labels.npy", np.array(labels, dtype=np.int32))
    np.savez(
        root / "CIFAR-10.2" / "cifar102_test.npz",
        images=images[::-1],
        labels=np.array(labels[::-1]),
        keywords=np.array([{"an": "object"}], dtype=object),
    )
    return root


def png(pixels: Tensor) -> bytes:
    """A picture as the bytes of a file."""
    buffer = io.BytesIO()
    image_of(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_json(path: Path, value: object) -> None:
    """A file of JSON, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def from_open_clip(name: str, **options: Any) -> Any:
    """A model as open_clip itself makes it."""
    ensure_torchvision()
    import open_clip  # here, because torchvision may need help

    return open_clip.create_model(name, **options)
