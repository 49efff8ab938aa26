"""Files of tensors: safetensors, written whole or not at all, and errors that say what to do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from wiseft_tutorial.errors import CheckpointError, MissingFileError


def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], facts: Mapping[str, str]
) -> Path:
    """Write tensors and facts to a file that is at every moment the old one or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode  # what the user lets others do, which safetensors does not
        here = {key: tensor.cpu().contiguous() for key, tensor in tensors.items()}
        save_file(here, temporary, dict(facts))
        temporary.chmod(mode)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a file's tensors, on the CPU, and its facts."""
    if not Path(path).is_file():
        raise MissingFileError(f"there is no file {os.fspath(path)!r}")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except SafetensorError as error:
        raise CheckpointError(
            f"{os.fspath(path)!r} cannot be read as safetensors ({error}). It is truncated or of "
            "another kind: make or fetch it again."
        ) from error
