"""ImageNet in words: the names and prompts that OpenAI chose, and the folders of its classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wiseft_tutorial._torchvision import ensure_torchvision

__all__ = ["imagenet_classnames", "imagenet_folders", "imagenet_templates"]


def imagenet_classnames() -> tuple[str, ...]:
    """The names that OpenAI chose for ImageNet's 1,000 classes, as open_clip keeps them.

    Source: appendix D.1. Explained in: chapter 2.
    """
    return tuple(_open_clip().IMAGENET_CLASSNAMES)


def imagenet_templates() -> tuple[Callable[[str], str], ...]:
    """OpenAI's 80 prompts for ImageNet, as open_clip keeps them.

    Source: appendix D.1. Explained in: chapter 2.
    """
    return tuple(_open_clip().OPENAI_IMAGENET_TEMPLATES)


def imagenet_folders() -> tuple[str, ...]:
    """The folders of ImageNet's 1,000 classes, such as ``n01440764``, as timm keeps them.

    Returns:
        WordNet's identifiers in the order in which the classes are numbered.

    Source: section 2. Explained in: chapter 15.
    """
    ensure_torchvision()
    from timm import data  # here, because it is slow to import

    information: Any = data
    return tuple(information.ImageNetInfo("imagenet-1k").label_names())


def _open_clip() -> Any:
    ensure_torchvision()
    import open_clip  # here, because it is slow to import

    return open_clip
