"""Several processes that train one model: each takes its part of a batch, and gradients are added.

``torchrun --nproc-per-node 4 --no-python wiseft finetune ...`` starts four, one for each GPU. The
result is that of one process with the same batches, but for the order in which numbers are added.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["add_up", "agree", "first", "part", "processes", "together"]


def processes() -> int:
    """How many processes torchrun has started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def first() -> bool:
    """Whether this process is the one that writes files and shows progress."""
    return not dist.is_initialized() or dist.get_rank() == 0


def part(batch: Tensor) -> slice:
    """Which of a batch's rows this process takes; all, if it is alone.

    Args:
        batch: (B, ...).

    Returns:
        A slice; the parts of all processes are disjoint and together the batch.
    """
    if not dist.is_initialized():
        return slice(None)
    return slice(dist.get_rank(), None, dist.get_world_size())


def add_up(tensors: Iterable[Tensor]) -> None:
    """Replace tensors, in place, by their sums over the processes."""
    if dist.is_initialized():
        for tensor in tensors:
            dist.all_reduce(tensor)


def agree(answer: bool) -> bool:
    """The first process's answer, given to all."""
    if not dist.is_initialized():
        return answer
    said = torch.tensor(int(answer), device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.broadcast(said, 0)
    return bool(said)


@contextmanager
def together() -> Iterator[str | None]:
    """Join the processes that torchrun has started; alone, do nothing.

    Yields:
        The device of this process, ``"cuda:1"`` for the second on a machine with GPUs; ``None`` for
        a process that is alone.
    """
    if processes() == 1:
        yield None
        return
    gpu = torch.cuda.is_available()
    device = f"cuda:{os.environ['LOCAL_RANK']}" if gpu else "cpu"
    if gpu:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if gpu else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()
