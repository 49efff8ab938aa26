"""From image files to one array of bytes on disk, once: every later look is a memory map.

Images are cut as CLIP's own preprocessing cuts them: the shorter side is resized, bicubically, and
the middle square is kept.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from tqdm.auto import tqdm

from wiseft_tutorial.errors import DataError, MissingFileError

__all__ = ["decode", "square"]

_BLOCK = 256  # images that are waited for together
_SECONDS = 5.0  # between two moments at which a run can be taken up again
_VERSION = "bicubic, middle square, 1"
# What Pillow raises where a file is damaged, or would fill the memory.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


def decode(
    paths: Sequence[Path],
    image_size: int,
    folder: Path,
    *,
    border: int = 0,
    as_seen: bool = False,
    workers: int | None = None,
    progress: bool = True,
) -> Tensor:
    """Read images, or find them read.

    The array's name follows from the files' names, sizes and times and from what is done to them,
    so that it is never out of date. A run that is killed is continued by the next.

    Args:
        paths: N image files.
        image_size: S, in pixels.
        folder: Where arrays are kept.
        border: Pixels that are cut off at every side before anything else.
        as_seen: As whoever took or drew them sees them: turned as the camera noted that it was
            held, and on white where they are transparent.
        workers: Threads; ``None`` means one for each processor.
        progress: Show a progress bar.

    Returns:
        (N, 3, S, S) uint8, memory-mapped: writing into it does not change the file.

    Raises:
        DataError: Some files are no images, or damaged; names them.
        MissingFileError: A file is not there.

    Explained in: chapter 17.
    """
    name = f"{_key(paths, image_size, border, as_seen)}-{len(paths)}x{image_size}"
    finished, partial_array = folder / f"{name}.npy", folder / f"{name}.partial.npy"
    count = folder / f"{name}.partial.txt"
    if not finished.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{name}.lock"):
            if not finished.is_file():
                read = partial(square, image_size=image_size, border=border, as_seen=as_seen)
                try:
                    _fill(paths, read, partial_array, count, image_size, workers, progress)
                except DataError:  # whoever mends the files begins anew, under another name
                    partial_array.unlink()
                    count.unlink(missing_ok=True)
                    raise
                os.replace(partial_array, finished)
                count.unlink(missing_ok=True)
    return torch.from_numpy(np.load(finished, mmap_mode="c"))


def square(
    path: Path, image_size: int, *, border: int = 0, as_seen: bool = False
) -> NDArray[np.uint8]:
    """One image, as CLIP's preprocessing cuts it.

    Args:
        path: The file.
        image_size: S.
        border: As for :func:`decode`.
        as_seen: As for :func:`decode`.

    Returns:
        (3, S, S) uint8.

    Raises:
        OSError: The file is no image, damaged, or has pixels of 32 bits.
    """
    with Image.open(path) as opened:
        image = _eight_bits(opened)
        if as_seen:
            image = _on_white(ImageOps.exif_transpose(image))
        image = image.convert("RGB")
    width, height = image.size
    if min(width, height) <= 2 * border:
        raise OSError(f"it has {width} x {height} pixels, and a border of {border} is cut off")
    image = image.crop((border, border, width - border, height - border))
    width, height = image.size
    short = min(width, height)
    width, height = (int(side * image_size / short) for side in (width, height))
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (round((side - image_size) / 2) for side in (width, height))
    image = image.crop((left, top, left + image_size, top + image_size))
    return np.asarray(image).transpose(2, 0, 1)


def _eight_bits(image: Image.Image) -> Image.Image:
    """An image of 16 bits by its high bytes; Pillow would make white of whatever exceeds 255."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        high = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        high.info = image.info  # how the camera was held
        return high
    if image.mode in ("I", "F"):
        raise OSError("its pixels have 32 bits, of which nobody can tell which is white")
    return image


def _on_white(image: Image.Image) -> Image.Image:
    """A drawing without a background on paper; Pillow would show whatever lies hidden there."""
    if not ("A" in image.getbands() or "transparency" in image.info):
        return image
    above = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)


def _fill(
    paths: Sequence[Path],
    read: partial[NDArray[np.uint8]],
    array: Path,
    count: Path,
    image_size: int,
    workers: int | None,
    progress: bool,
) -> None:
    """Write the images that are still missing, block by block."""
    shape = (len(paths), 3, image_size, image_size)
    start = 0
    if array.is_file() and count.is_file():
        start = int(count.read_text() or 0)
    mode = "r+" if start else "w+"
    whole = np.lib.format.open_memmap(array, mode=mode, dtype=np.uint8, shape=shape)
    damaged: list[str] = []
    safe = time.monotonic()

    def put(index: int) -> None:
        try:
            whole[index] = read(paths[index])
        except _BROKEN as error:
            unknown = isinstance(error, UnidentifiedImageError)  # which says the path again
            damaged.append(f"{str(paths[index])!r} ({'no image' if unknown else error})")

    bar = tqdm(total=len(paths), initial=start, desc="decoding", unit="image", disable=not progress)
    with bar, ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for first in range(start, len(paths), _BLOCK):
            block = range(first, min(first + _BLOCK, len(paths)))
            list(pool.map(put, block))
            bar.update(len(block))
            if not damaged and time.monotonic() - safe > _SECONDS:
                whole.flush()  # the images first, and only then their number
                count.write_text(str(block.stop))
                safe = time.monotonic()
        whole.flush()
    if damaged:
        shown = "; ".join(sorted(damaged)[:5])
        more = f"; and {len(damaged) - 5} more" if len(damaged) > 5 else ""
        raise DataError(
            f"{len(damaged)} of {len(paths)} files cannot be read as images: {shown}{more}. "
            "Replace or remove them"
        )


def _key(paths: Sequence[Path], image_size: int, border: int, as_seen: bool) -> str:
    digest = hashlib.sha256(f"{_VERSION} {image_size} {border} {as_seen and 'as seen'}".encode())
    for path in paths:
        try:
            facts = path.stat()
        except FileNotFoundError as error:
            raise MissingFileError(f"there is no file {str(path)!r}") from error
        digest.update(f"\n{path.absolute()} {facts.st_size} {facts.st_mtime_ns}".encode())
    return digest.hexdigest()[:20]
