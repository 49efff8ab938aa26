"""A classifier made of words: the zero-shot head.

Each class is described by several prompts; the mean of their features points at the class. A head
made of these directions, times CLIP's logit scale, is where fine-tuning starts and where WiSE-FT's
averages begin.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch.nn.functional as F
from torch import Tensor

from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.models import Clip, ImageClassifier

__all__ = ["Template", "build_zeroshot_head", "zeroshot_classifier"]

Template: TypeAlias = str | Callable[[str], str]


def build_zeroshot_head(
    clip: Clip,
    classnames: Sequence[str],
    templates: Sequence[Template],
    *,
    batch_size: int = 1024,
) -> Tensor:
    """Build a head from words: one row per class, the mean of its prompts' features.

    Args:
        clip: Whose text tower reads the prompts.
        classnames: K classes, in words.
        templates: T prompts, each a string with ``{}`` where the class name goes, or a function
            from a class name to a prompt.
        batch_size: Prompts encoded at once, of whichever class.

    Returns:
        (K, D) float32 on the CLIP's device. Every row has the length of the logit scale, which is
        multiplied in here, once, and nowhere else.

    Raises:
        DataError: No classes, no prompts, or a template without a place for the class name.

    Source: section 2 and appendix D.1. Explained in: chapter 2.
    """
    if isinstance(classnames, str) or not classnames:
        raise DataError("a head needs class names: a list with at least one string")
    if isinstance(templates, str):
        raise DataError(f"a head needs prompts: a list such as [{templates!r}], and not a string")
    if not templates:
        raise DataError("a head needs prompts: a list with at least one template")
    prompts = [_fill(template, name) for name in classnames for template in templates]
    features = clip.encode_text(prompts, batch_size=batch_size)
    means = features.view(len(classnames), len(templates), -1).mean(dim=1)
    return clip.logit_scale * F.normalize(means, dim=-1)


def zeroshot_classifier(
    clip: Clip,
    benchmark: Benchmark | None = None,
    *,
    classnames: Sequence[str] | None = None,
    templates: Sequence[Template] | None = None,
) -> ImageClassifier:
    """Make a classifier of a CLIP and words, without training: WiSE-FT's theta_0.

    Args:
        clip: Its image tower, copied, becomes the encoder; its text tower builds the head.
        benchmark: Gives class names and templates, unless they are given.
        classnames: K classes, in words.
        templates: Prompts, as for :func:`build_zeroshot_head`.

    Returns:
        The classifier, in evaluation mode on the CLIP's device.

    Raises:
        DataError: Neither a benchmark nor class names and templates, or the class names are another
            number than the benchmark has classes, or are the benchmark's own in another order.

    Source: section 2 and appendix D.1. Explained in: chapter 2.
    """
    if benchmark is not None:
        if classnames is not None and len(classnames) != len(benchmark.classnames):
            raise DataError(
                f"{len(classnames)} class names were given, but {benchmark.name!r} has "
                f"{len(benchmark.classnames)} classes"
            )
        classnames = benchmark.classnames if classnames is None else classnames
        benchmark.check_order(classnames)
        templates = benchmark.templates if templates is None else templates
    head = build_zeroshot_head(clip, classnames or (), templates or ())
    return ImageClassifier(
        copy.deepcopy(clip.model.visual),
        head,
        classnames=classnames or (),
        clip_name=clip.name,
        image_size=clip.image_size,
        mean=clip.mean,
        std=clip.std,
        provenance={
            "method": "zero-shot",
            "clip": f"{clip.name}, {clip.pretrained}",
            "templates": str(len(templates or ())),
        },
    ).eval()


def _fill(template: Template, classname: str) -> str:
    if not isinstance(template, str):
        return template(classname)
    if "{}" not in template:
        raise DataError(f"the template {template!r} has no {{}} where a class name could go")
    return template.replace("{}", classname)
