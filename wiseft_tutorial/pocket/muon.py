"""Muon in single precision, for processors on which torch's own, in bfloat16, takes seconds a step.

Explained in: chapter 16.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

__all__ = ["Muon", "orthogonalised"]

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # torch's, and Keller Jordan's


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """A matrix with the same singular vectors, whose singular values are about 1.

    Args:
        matrix: (A, B).
        steps: Of the Newton-Schulz iteration.

    Explained in: chapter 16.
    """
    a, b, c = _COEFFICIENTS
    x = matrix.T if len(matrix) > matrix.shape[1] else matrix
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if len(matrix) > matrix.shape[1] else x


class Muon(torch.optim.Optimizer):
    """What ``torch.optim.Muon(..., adjust_lr_fn="match_rms_adamw")`` does, in the matrices' dtype.

    Args:
        params: Matrices.
        lr: The rate that AdamW would have.
        weight_decay: Decoupled, as AdamW's.
        momentum: Nesterov's.

    Explained in: chapter 16.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        *,
        lr: float,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(p)
                buffer = state["momentum_buffer"].lerp_(p.grad, 1 - momentum)
                move = orthogonalised(p.grad.lerp(buffer, momentum))
                p.mul_(1 - lr * group["weight_decay"])
                p.add_(move, alpha=-0.2 * lr * max(p.shape) ** 0.5)
