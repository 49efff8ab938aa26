"""Decoding: what CLIP's own preprocessing makes, once, whole, and never out of date."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
import trees
from PIL import Image

from wiseft_tutorial._torchvision import ensure_torchvision
from wiseft_tutorial.datafiles import decoding
from wiseft_tutorial.datafiles.decoding import decode, square
from wiseft_tutorial.errors import DataError, MissingFileError


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for number, size in enumerate([(60, 48), (48, 60), (33, 33), (70, 32)]):
        (pixels,) = trees.drawings([number])
        trees.image_of(pixels, size).save(tmp_path / f"{number}.png")
    return sorted(tmp_path.glob("*.png"))


@pytest.mark.parametrize("size", [16, 32, 48])
def test_images_are_cut_as_open_clip_cuts_them(files: list[Path], size: int) -> None:
    ensure_torchvision()
    from open_clip import image_transform

    theirs = image_transform(size, is_train=False, mean=(0, 0, 0), std=(1, 1, 1))
    for path in files:
        with Image.open(path) as image:
            expected = (theirs(image) * 255).round().byte()
        assert torch.equal(torch.from_numpy(square(path, size).copy()), expected)


def test_decoded_images_are_a_memory_map_in_the_order_of_their_files(
    files: list[Path], tmp_path: Path
) -> None:
    images = decode(files, 24, tmp_path / "cache", progress=False)
    assert (images.shape, images.dtype) == ((4, 3, 24, 24), torch.uint8)
    for path, image in zip(files, images, strict=True):
        assert np.array_equal(image.numpy(), square(path, 24))
    images[0] = 0  # a private copy of the page: the file stays as it is
    again = decode(files, 24, tmp_path / "cache", progress=False)
    assert again[0].any()


def test_images_are_decoded_once(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = decode(files, 24, tmp_path / "cache", progress=False)
    monkeypatch.setattr(decoding, "square", None)
    assert torch.equal(decode(files, 24, tmp_path / "cache", progress=False), first)


def test_another_file_size_or_border_is_decoded_anew(files: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    first = decode(files, 24, folder, progress=False)
    assert decode(files, 20, folder, progress=False).shape[-1] == 20
    assert not torch.equal(decode(files, 24, folder, border=4, progress=False), first)
    with Image.open(files[0]) as image:
        image.convert("L").save(files[0])
    os.utime(files[0], (1, 1))
    assert not torch.equal(decode(files, 24, folder, progress=False), first)
    assert len(list(folder.glob("*.npy"))) == 4


def test_a_run_that_was_killed_goes_on(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_BLOCK", 1)
    monkeypatch.setattr(decoding, "_SECONDS", 0.0)
    read = decoding.square
    seen: list[Path] = []

    def killed(path: Path, **options: int) -> np.ndarray:
        seen.append(path)
        if path == files[2] and len(seen) == 3:
            raise KeyboardInterrupt
        return read(path, **options)

    monkeypatch.setattr(decoding, "square", killed)
    with pytest.raises(KeyboardInterrupt):
        decode(files, 24, tmp_path / "cache", progress=False)
    assert not [p for p in (tmp_path / "cache").glob("*.npy") if ".partial" not in p.name]
    images = decode(files, 24, tmp_path / "cache", progress=False)
    assert seen == [*files[:3], *files[2:]]
    for path, image in zip(files, images, strict=True):
        assert np.array_equal(image.numpy(), read(path, 24))
    assert not list((tmp_path / "cache").glob("*.partial*"))


def test_damaged_files_are_all_named(files: list[Path], tmp_path: Path) -> None:
    files[1].write_bytes(files[1].read_bytes()[:200])
    files[3].write_text("no image")
    with pytest.raises(DataError, match=r"2 of 4 files .*1\.png.*3\.png.* remove them"):
        decode(files, 24, tmp_path / "cache", progress=False)
    assert not list((tmp_path / "cache").glob("*.partial*")), "nothing will ever take this up again"
    (pixels,) = trees.drawings([1])
    for path in (files[1], files[3]):
        trees.image_of(pixels).save(path)
    assert len(decode(files, 24, tmp_path / "cache", progress=False)) == 4


def test_a_file_that_is_not_there(files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"nowhere\.png"):
        decode([*files, tmp_path / "nowhere.png"], 24, tmp_path / "cache", progress=False)


def test_a_photograph_is_turned_upright_if_asked(tmp_path: Path) -> None:
    (pixels,) = trees.drawings([0])
    image = trees.image_of(pixels)
    exif = image.getexif()
    exif[274] = 3  # the camera was held upside down
    image.save(tmp_path / "a.png", exif=exif)
    as_stored, as_seen = (square(tmp_path / "a.png", 48, as_seen=seen) for seen in (False, True))
    assert np.array_equal(as_stored, pixels.numpy())
    assert np.array_equal(as_seen, pixels.numpy()[:, ::-1, ::-1])


@pytest.mark.parametrize(("mode", "hidden"), [("RGBA", 0), ("LA", 0), ("LA", 200), ("P", 200)])
def test_what_is_transparent_is_seen_on_white(tmp_path: Path, mode: str, hidden: int) -> None:
    grey = np.full((20, 20), hidden, dtype=np.uint8)
    grey[5:10] = 0
    alpha = np.zeros_like(grey)
    alpha[5:10] = 255
    image = Image.fromarray(np.stack([grey, grey, grey, alpha], axis=-1))
    if mode == "P":
        image = image.convert("RGB").quantize(4)
        image.save(tmp_path / "a.png", transparency=int(np.asarray(image)[0, 0]))
    else:
        image.convert(mode).save(tmp_path / "a.png")
    seen = square(tmp_path / "a.png", 20, as_seen=True)
    assert (seen[:, 5:10] == 0).all()
    assert (seen[:, 12:] == 255).all()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("as_seen", [False, True])
def test_sixteen_bits_are_not_cut_off(tmp_path: Path, suffix: str, as_seen: bool) -> None:
    ramp = np.arange(400, dtype=np.uint16).reshape(20, 20) * 163
    image = Image.fromarray(ramp)
    exif = image.getexif()
    exif[274] = 3
    image.save(tmp_path / f"a{suffix}", exif=exif)
    found = square(tmp_path / f"a{suffix}", 20, as_seen=as_seen)
    expected = ramp[::-1, ::-1] if as_seen or suffix == ".tif" else ramp  # Pillow turns TIFFs
    assert np.array_equal(found, np.stack([expected >> 8] * 3))


def test_pixels_of_32_bits_have_no_white(tmp_path: Path) -> None:
    Image.fromarray(np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)).save(
        tmp_path / "a.tif"
    )
    with pytest.raises(DataError, match=r"a\.tif' \(its pixels have 32 bits"):
        decode([tmp_path / "a.tif"], 20, tmp_path / "cache", progress=False)


def test_a_file_for_printing_is_read(tmp_path: Path) -> None:
    (pixels,) = trees.drawings([0])
    trees.image_of(pixels).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    found = square(tmp_path / "a.jpg", 48)
    assert np.abs(found.astype(int) - pixels.numpy()).mean() < 6


def test_a_file_that_would_fill_the_memory_is_named(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # twice as many are refused
    with (
        pytest.raises(DataError, match=r"3 of 4 files .*0\.png"),
        pytest.warns(Image.DecompressionBombWarning),
    ):
        decode(files, 24, tmp_path / "cache", progress=False)


def test_a_border_wider_than_the_image(files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="33 x 33 pixels, and a border of 17"):
        decode([files[2]], 24, tmp_path / "cache", border=17, progress=False)
