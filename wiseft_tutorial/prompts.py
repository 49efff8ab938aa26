"""Learned prompts: train the words in front of a class name, and nothing else.

The words become vectors that need not be those of any word. All classes share them, so that few
numbers are trained, and both towers stay as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiseft_tutorial.attention import training_attention
from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.descent import descend
from wiseft_tutorial.device import resolve_device
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.inference import encode_images, evaluation_copy
from wiseft_tutorial.models import Clip, ImageClassifier
from wiseft_tutorial.recipe import Recipe
from wiseft_tutorial.zeroshot import zeroshot_classifier

__all__ = ["learn_prompt"]

_PLACE = "x"  # a word of one token; its places are what is learned


def learn_prompt(
    clip: Clip,
    benchmark: Benchmark,
    recipe: Recipe,
    *,
    length: int = 4,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> ImageClassifier:
    """Learn one prompt for all classes from a benchmark's training images.

    The prompt begins as ``length`` times the same word. Images are not augmented, since the image
    tower is frozen and their features are computed once.

    Args:
        clip: Whose towers are used; left untouched.
        benchmark: Gives training images and class names.
        recipe: How: epochs, lr, batch_size, weight_decay, warmup_steps, clip_norm,
            label_smoothing, betas, eps and seed are used.
        length: How many vectors stand in front of the class name.
        device: Where to compute; ``None`` means the best device present.
        progress: Show a progress bar.

    Returns:
        A classifier with the image tower of ``clip`` and a head built from the learned prompt, on
        the device of ``clip``; as its encoder is that of the zero-shot classifier, averaging the
        two is averaging their heads.

    Raises:
        DataError: ``length`` is smaller than 1 or leaves no room for a class name, or the recipe
            asks for what this does not do.
        WiseFTError: The loss is not a number any more; the learning rate is too high.

    Source: Zhou et al. 2022, "Learning to prompt", section 3.2; the paper's appendix C.3.3.
    Explained in: chapter 14.
    """
    if length < 1:
        raise DataError(f"a prompt of length {length} has nothing to learn; ask for at least 1")
    target = resolve_device(device)
    classifier = zeroshot_classifier(clip, benchmark)
    runner = evaluation_copy(classifier, device=target, precision=recipe.precision)
    features, labels = encode_images(runner, benchmark.train.images), benchmark.train.labels
    text = copy.deepcopy(clip.model).to(target).float().eval().requires_grad_(False)
    tokens = _tokens(clip, benchmark, length).to(target)
    start = text.token_embedding(tokens[0, 1 : length + 1])
    context = nn.Parameter(start.clone())

    def head() -> Tensor:
        with _instead_of_words(text.token_embedding, context):
            rows: Tensor = text.encode_text(tokens)
        return clip.logit_scale * F.normalize(rows, dim=-1)

    def loss_of(batch: Tensor, _: torch.Generator) -> Tensor:
        logits = features[batch.to(target)] @ head().T
        return F.cross_entropy(
            logits, labels[batch].to(target), label_smoothing=recipe.label_smoothing
        )

    with training_attention(text, target):
        descend(
            [context],
            recipe,
            len(labels),
            loss_of,
            name="learning a prompt",
            unused=["l2_to_init", "distillation"],
            progress=progress,
        )
    with torch.no_grad():
        classifier.head.weight.copy_(head())
    classifier.provenance = {**classifier.provenance, "method": f"learned prompt of {length}"}
    return classifier


def _tokens(clip: Clip, benchmark: Benchmark, length: int) -> Tensor:
    """(K, L) token ids of the prompts, the places of the learned vectors right after the start."""
    places = " ".join([_PLACE] * length)
    tokens = clip.tokenizer([f"{places} {name}" for name in benchmark.classnames])
    place = tokens[0, 1]
    if not bool((tokens[:, 1 : length + 1] == place).all()) or bool((tokens[:, -1] != 0).any()):
        raise DataError(
            f"a prompt of length {length} leaves no room for the class names in "
            f"{tokens.shape[1]} tokens; make it shorter"
        )
    return tokens


@contextmanager
def _instead_of_words(table: nn.Module, vectors: Tensor) -> Iterator[None]:
    """While it lasts, a table of tokens gives these vectors after the first token of each text."""

    def replaced(_: nn.Module, __: object, found: Tensor) -> Tensor:
        prompt = vectors.expand(len(found), -1, -1).to(found.dtype)
        return torch.cat([found[:, :1], prompt, found[:, len(vectors) + 1 :]], dim=1)

    hook = table.register_forward_hook(replaced)
    try:
        yield
    finally:
        hook.remove()
