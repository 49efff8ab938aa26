"""Lines of models: both ends of a line are trained at once, so that all between them are good.

WiSE-FT finds that such a line exists between two models; this makes one on purpose.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from wiseft_tutorial.attention import training_attention
from wiseft_tutorial.augment import random_resized_crop
from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.descent import descend
from wiseft_tutorial.device import resolve_device
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.recipe import Recipe

__all__ = ["finetune_line"]


def finetune_line(
    model: ImageClassifier,
    benchmark: Benchmark,
    recipe: Recipe,
    *,
    apart: float = 1.0,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> tuple[ImageClassifier, ImageClassifier]:
    """Fine-tune two copies of a model so that every average of the two is a good model.

    Each step draws an alpha, computes the loss of the average at that place, and hands its gradient
    to both ends in proportion. A penalty on the squared cosine between the two steps taken so far
    keeps the ends from becoming the same model.

    Args:
        model: Where both start; left untouched.
        benchmark: Gives the training images.
        recipe: How, end to end, in float32: epochs, lr, batch_size, weight_decay, warmup_steps,
            clip_norm, label_smoothing, betas, eps, crop_scale and seed are used.
        apart: The weight of the penalty; 0 for none.
        device: Where to compute; ``None`` means the best device present.
        progress: Show a progress bar.

    Returns:
        The two ends, in evaluation mode, on the device of ``model``.

    Raises:
        DataError: The recipe asks for what this does not do, or ``apart`` is negative.
        WiseFTError: The loss is not a number any more; the learning rate is too high.

    Source: Wortsman et al. 2021, "Learning neural network subspaces", algorithm 1.
    Explained in: chapter 12.
    """
    if not 0 <= apart < float("inf"):
        raise DataError(f"apart = {apart:g}, but a penalty's weight is not negative")
    target = resolve_device(device)
    start = copy.deepcopy(model).to(target, torch.float32).requires_grad_(False)
    ends = [copy.deepcopy(start).train().requires_grad_(True) for _ in range(2)]
    origin: dict[str, Tensor] = dict(start.named_parameters())
    first, second = (dict(end.named_parameters()) for end in ends)

    def loss_of(batch: Tensor, generator: torch.Generator) -> Tensor:
        alpha = float(torch.rand((), generator=generator))
        average = {name: torch.lerp(first[name], second[name], alpha) for name in origin}
        images = benchmark.train.images[batch].to(target)
        if recipe.crop_scale is not None:
            images = random_resized_crop(images, recipe.crop_scale, generator)
        logits = functional_call(start, average, (images,))
        labels = benchmark.train.labels[batch].to(target)
        loss = F.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
        steps = ([end[name] - origin[name] for name in origin] for end in (first, second))
        return loss + apart * _cosine(*steps).square() if apart else loss

    with training_attention(start, target):
        descend(
            [*first.values(), *second.values()],
            recipe,
            len(benchmark.train),
            loss_of,
            name="fine-tuning of a line",
            unused=["method", "l2_to_init", "distillation"],
            progress=progress,
        )
    left, right = (end.eval().to(model.device) for end in ends)
    return left, right


def _cosine(a: list[Tensor], b: list[Tensor]) -> Tensor:
    """The cosine between two steps; 0 where one of them has not been taken yet."""
    dot, a_square, b_square = (
        torch.stack([(x * y).sum() for x, y in zip(*pair, strict=True)]).sum()
        for pair in ((a, b), (a, a), (b, b))
    )
    return dot / (a_square * b_square).clamp(min=1e-24).sqrt()
