"""Attention as plain matrix products, which a CPU trains fastest.

torch's own layer copies its tensors from one memory layout into another and back, and guards
against masks that hide everything. Without that, a training step takes a quarter less time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiseft_tutorial.device import training_kernels

__all__ = ["plain_attention", "training_attention"]


@contextmanager
def plain_attention(model: nn.Module) -> Iterator[None]:
    """Let a model's attention layers compute by plain matrix products for a while.

    Results agree but for rounding. Weights, and what they are called, stay as they are.

    Args:
        model: Whose layers are changed, and changed back at the end.

    Explained in: chapter 3.
    """
    layers = [layer for layer in model.modules() if type(layer) is nn.MultiheadAttention]
    for layer in layers:
        layer.__class__ = _PlainAttention
    try:
        yield
    finally:
        for layer in layers:
            layer.__class__ = nn.MultiheadAttention


@contextmanager
def training_attention(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Let a model's attention be computed for a while as this device trains it fastest.

    Args:
        model: Whose layers are changed on a CPU, and changed back at the end.
        device: Where the model is.

    Explained in: chapter 3.
    """
    with (
        training_kernels(device),
        plain_attention(model) if device.type == "cpu" else nullcontext(),
    ):
        yield


class _PlainAttention(nn.MultiheadAttention):
    """Self-attention without masks and dropout; whatever else is asked for, torch does."""

    def forward(  # type: ignore[override]  # the options are torch's, and are passed on
        self, query: Tensor, key: Tensor, value: Tensor, **options: Any
    ) -> Any:
        plain = "need_weights" in options and all(
            option is None or option is False for option in options.values()
        )
        ordinary = (
            query is key is value
            and query.ndim == 3
            and self.batch_first
            and self.dropout == 0
            and self.bias_k is None
            and not self.add_zero_attn
        )
        if not plain or not ordinary:
            return super().forward(query, key, value, **options)
        n, length, width = query.shape
        packed = F.linear(query, self.in_proj_weight, self.in_proj_bias)
        heads = packed.view(n, length, 3, self.num_heads, self.head_dim).permute(2, 0, 3, 1, 4)
        q, k, v = heads.contiguous()  # worth its copy: products of contiguous matrices are faster
        attention = (self.head_dim**-0.5 * q @ k.transpose(-2, -1)).softmax(dim=-1)
        return self.out_proj((attention @ v).transpose(1, 2).reshape(n, length, width)), None
