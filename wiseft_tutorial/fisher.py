"""The diagonal Fisher information: how much a model's answers depend on each of its weights."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call, grad, vmap

from wiseft_tutorial.attention import training_attention
from wiseft_tutorial.benchmarks import Split
from wiseft_tutorial.device import resolve_device
from wiseft_tutorial.models import ImageClassifier

__all__ = ["diagonal_fisher"]


def diagonal_fisher(
    model: ImageClassifier,
    split: Split,
    *,
    seed: int = 0,
    batch_size: int = 32,
    device: str | torch.device | None = None,
) -> dict[str, Tensor]:
    """Estimate a classifier's diagonal Fisher information on some images.

    It is the mean over images, and over labels *as the model itself would give them*, of the
    squared gradient of the log-probability: one label is drawn for each image. The labels of the
    split are not looked at; take training images, since the result is part of a model.

    Args:
        model: Left untouched, and taken in evaluation mode.
        split: N images.
        seed: Of the labels drawn.
        batch_size: Images whose gradients are held in memory at once.
        device: Where to compute; ``None`` means the best device present.

    Returns:
        By the name of each parameter, its information, float32 and on the CPU.

    Raises:
        DataError: The images are not square, or not in colour.

    Source: Matena and Raffel 2022, section 3.1. Explained in: chapter 13.
    """
    target = resolve_device(device)
    runner = copy.deepcopy(model).to(target, torch.float32).eval().requires_grad_(False)
    weights: dict[str, Tensor] = dict(runner.named_parameters())
    generator = torch.Generator().manual_seed(seed)
    totals = {name: torch.zeros_like(weight) for name, weight in weights.items()}

    def log_likelihood(weights: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        logits = functional_call(runner, weights, (image[None],))
        return -F.cross_entropy(logits, label[None])

    gradients = vmap(grad(log_likelihood), in_dims=(None, 0, 0))
    with training_attention(runner, target):
        for images in split.images.split(batch_size):
            batch = images.to(target)
            with torch.no_grad():
                chances = runner(batch).softmax(dim=1).cpu()
            drawn = torch.multinomial(chances, 1, generator=generator)[:, 0].to(target)
            for name, found in gradients(weights, batch, drawn).items():
                totals[name] += found.square().sum(dim=0)
    return {name: (total / len(split)).cpu() for name, total in totals.items()}
