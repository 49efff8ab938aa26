"""Files that are written whole or not at all, and errors that say what to do; tensors and text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from wiseft_tutorial.errors import CheckpointError, MissingFileError

_RECIPE = (
    "import torch; from safetensors.torch import save_file; "
    "model = torch.load('model.pt', weights_only=False); "
    "save_file({k: v.contiguous() for k, v in model.image_encoder.model.state_dict().items()}, "
    "'clip.safetensors'), which load_clip(name, pretrained='clip.safetensors') reads"
)


def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], facts: Mapping[str, str]
) -> Path:
    """Write tensors and facts to a file that is at every moment the old one or the new one."""
    here = {key: tensor.cpu().contiguous() for key, tensor in tensors.items()}
    return _write(path, lambda temporary: save_file(here, temporary, dict(facts)))


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write text to a file that is at every moment the old one or the new one."""
    return _write(path, lambda temporary: temporary.write_text(text))


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a file's tensors, on the CPU, and its facts."""
    with _opened(path) as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return tensors, file.metadata() or {}


def read_facts(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read a file's facts, and not its tensors."""
    with _opened(path) as file:
        return file.metadata() or {}


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    if not Path(path).is_file():
        raise MissingFileError(f"there is no file {os.fspath(path)!r}")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as error:
        with open(path, "rb") as start:
            pickled = start.read(4).startswith((b"PK", b"\x80"))
        if pickled:
            raise CheckpointError(
                f"{os.fspath(path)!r} is a pickle. Loading one runs whatever code it holds, so "
                "none is read here. Where you trust it, and with the code that wrote it at hand, "
                f"convert it once: {_RECIPE}"
            ) from error
        raise CheckpointError(
            f"{os.fspath(path)!r} cannot be read as safetensors ({error}). It is truncated or of "
            "another kind: make or fetch it again."
        ) from error


def _write(path: str | os.PathLike[str], fill: Callable[[Path], object]) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode  # what the user lets others do, which safetensors does not
        fill(temporary)
        temporary.chmod(mode)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
