"""A cache that does not go stale: what a result is called follows from what it depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from wiseft_tutorial.benchmarks import Split
from wiseft_tutorial.errors import WiseFTError

__all__ = ["alone", "fingerprint"]

_SAMPLE = 16_384  # images of a split that are read for its fingerprint; a larger split's are spread


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let one process at a time make a result; the others wait, and then find it made.

    Args:
        path: The file that will hold the result. The lock is a file of the same name in ``locks``
            beside it, and falls when its process ends, however it ends.

    Raises:
        WiseFTError: Nothing can be written there.
    """
    lock = FileLock(path.parent / "locks" / f"{path.name}.lock")
    try:
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        print(f"another process is making {path.name}: waiting for it")
        lock.acquire()
    except OSError as error:
        raise WiseFTError(
            f"the cache {str(path.parent)!r} cannot be written ({error}). Set WISEFT_CACHE to a "
            "folder of your own, or pass cache=None."
        ) from error
    try:
        yield
    finally:
        lock.release()


def fingerprint(*parts: str | Path | Split | Iterable[tuple[str, Tensor]]) -> str:
    """A name for everything that a result depends on.

    Args:
        parts: Text; files, for their contents; splits, for their labels and up to 16,384 of their
            images, evenly spread; named tensors.

    Returns:
        64 hexadecimal digits, others for other parts.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode())
        elif isinstance(part, Path):
            digest.update(part.read_bytes())
        elif isinstance(part, Split):
            _add(digest, part.labels)
            _add(digest, part.images[:: -(-len(part) // _SAMPLE)])
        else:
            for name, tensor in part:
                digest.update(name.encode())
                _add(digest, tensor)
        digest.update(b"\x00")
    return digest.hexdigest()


def _add(digest: hashlib._Hash, tensor: Tensor) -> None:
    digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    digest.update(flat.view(torch.uint8).numpy().data)
