"""FLYP: fine-tune as the model was pre-trained, with the class names for captions.

Both towers learn, and the loss is contrastive. So no head is trained: it is built from words again,
by the text tower that has learnt too.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from wiseft_tutorial._pixels import prepare
from wiseft_tutorial.attention import training_attention
from wiseft_tutorial.augment import random_resized_crop
from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.contrastive import contrastive_loss
from wiseft_tutorial.descent import descend
from wiseft_tutorial.device import resolve_device, resolve_dtype
from wiseft_tutorial.models import Clip
from wiseft_tutorial.recipe import Recipe

__all__ = ["finetune_contrastively"]


def finetune_contrastively(
    clip: Clip,
    benchmark: Benchmark,
    recipe: Recipe,
    *,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> Clip:
    """Fine-tune a CLIP on a benchmark's training images and the names of their classes.

    Each image of a batch is to find the prompt of its class among those of the batch, and each
    prompt its images. A prompt is one of the benchmark's templates, drawn anew for every batch.

    Args:
        clip: Where to start; left untouched.
        benchmark: Gives training images, class names and templates.
        recipe: How, end to end: epochs, lr, batch_size, weight_decay, warmup_steps, clip_norm,
            betas, eps, crop_scale, precision and seed are used.
        device: Where to compute; ``None`` means the best device present.
        progress: Show a progress bar.

    Returns:
        A new CLIP, on the device of ``clip``; ``zeroshot_classifier`` makes a classifier of it.

    Raises:
        DataError: The recipe asks for what this does not do.
        WiseFTError: The loss is not a number any more; the learning rate is too high.

    Source: Goyal et al. 2023, section 3. Explained in: chapter 14.
    """
    target = resolve_device(device)
    model = copy.deepcopy(clip.model).to(target).float().train()
    tuned = replace(clip, model=model, pretrained=f"{clip.pretrained}, tuned", device=target)
    with training_attention(model, target):
        descend(
            model.parameters(),
            recipe,
            len(benchmark.train),
            lambda batch, generator: _loss(tuned, benchmark, batch, recipe, generator),
            name="contrastive fine-tuning",
            unused=["method", "label_smoothing", "l2_to_init", "distillation"],
            progress=progress,
        )
    return replace(tuned, model=model.to(clip.device).eval(), device=clip.device)


def _loss(
    clip: Clip, benchmark: Benchmark, batch: Tensor, recipe: Recipe, generator: torch.Generator
) -> Tensor:
    """The contrastive loss of some training images and a prompt for each class among them."""
    images = benchmark.train.images[batch].to(clip.device)
    if recipe.crop_scale is not None:
        images = random_resized_crop(images, recipe.crop_scale, generator)
    classes, text_of_image = benchmark.train.labels[batch].unique(return_inverse=True)
    drawn = torch.randint(len(benchmark.templates), (len(classes),), generator=generator)
    prompts = [
        benchmark.templates[i].replace("{}", benchmark.classnames[c])
        for i, c in zip(drawn.tolist(), classes.tolist(), strict=True)
    ]
    mean, std = (torch.tensor(value, device=clip.device) for value in (clip.mean, clip.std))
    dtype = resolve_dtype(recipe.precision, clip.device)
    with torch.autocast(clip.device.type, dtype, enabled=dtype != torch.float32):
        seen = clip.model.encode_image(prepare(images, clip.image_size, mean, std))
        read = clip.model.encode_text(clip.tokenizer(prompts).to(clip.device))
    return contrastive_loss(
        F.normalize(seen.float(), dim=-1),
        F.normalize(read.float(), dim=-1),
        text_of_image.to(clip.device),
        clip.model.logit_scale.exp(),
    )
