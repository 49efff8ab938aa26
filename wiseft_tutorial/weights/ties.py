"""TIES: merge task vectors after trimming them and settling their disputes about signs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wiseft_tutorial.errors import DataError, WeightMismatchError
from wiseft_tutorial.weights.task_vectors import TaskVector

__all__ = ["ties_merge"]


@torch.no_grad()
def ties_merge(vectors: Sequence[TaskVector], *, density: float = 0.2) -> TaskVector:
    """Merge task vectors: trim each, elect a sign for every weight, average those that have it.

    Args:
        vectors: One or more, all measured from the same start.
        density: The fraction of each vector's weights that is kept: the largest. In (0, 1].

    Returns:
        The merged step; add it to the start, as it is or scaled.

    Raises:
        DataError: There are no vectors, or ``density`` lies outside (0, 1].
        WeightMismatchError: The vectors are of different architectures.

    Source: Yadav et al. 2023, section 3, algorithm 1. Explained in: chapter 13.
    """
    if not vectors:
        raise DataError("there are no task vectors to merge")
    if not 0 < density <= 1:
        raise DataError(f"density = {density:g}, but it is a fraction of the weights, in (0, 1]")
    layout = {key: tuple(step.shape) for key, step in vectors[0].steps.items()}
    for position, vector in enumerate(vectors):
        if {key: tuple(step.shape) for key, step in vector.steps.items()} != layout:
            raise WeightMismatchError(
                f"task vector {position} is of another architecture than task vector 0"
            )
    trimmed = torch.stack([_trimmed(_flat(vector), density) for vector in vectors])
    elected = trimmed.sum(dim=0).sign()
    agrees = (trimmed.sign() == elected) & (trimmed != 0)
    merged = (trimmed * agrees).sum(dim=0) / agrees.sum(dim=0).clamp(min=1)
    parts = merged.split([step.numel() for step in vectors[0].steps.values()])
    return TaskVector(
        {
            key: part.reshape(step.shape).to(step.dtype)
            for part, (key, step) in zip(parts, vectors[0].steps.items(), strict=True)
        }
    )


def _flat(vector: TaskVector) -> Tensor:
    return torch.cat([step.flatten().float() for step in vector.steps.values()])


def _trimmed(flat: Tensor, density: float) -> Tensor:
    """Keep the largest entries, by size; as many as the density says, ties broken by position."""
    kept = flat.abs().topk(max(round(density * len(flat)), 1)).indices
    return torch.zeros_like(flat).index_copy_(0, kept, flat[kept])
