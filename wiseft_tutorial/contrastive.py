"""The loss that trains a CLIP, and that can fine-tune one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["contrastive_loss"]


def contrastive_loss(
    image_features: Tensor, text_features: Tensor, text_of_image: Tensor, scale: Tensor
) -> Tensor:
    """InfoNCE in both directions, where equal captions of a batch count once.

    Args:
        image_features: (N, D), L2-normalised.
        text_features: (M, D), L2-normalised, of the M distinct captions.
        text_of_image: (N,) which caption belongs to each image.
        scale: The logit scale.

    Returns:
        The mean of both directions. From text to image, a caption's probability is shared among
        all images that carry it.

    Source: Radford et al. 2021, figure 3. Explained in: chapter 2.
    """
    logits = scale * image_features @ text_features.T
    to_text = F.cross_entropy(logits, text_of_image)
    log_p = logits.log_softmax(dim=0)[
        torch.arange(len(logits), device=logits.device), text_of_image
    ]
    count = torch.bincount(text_of_image, minlength=len(text_features)).to(log_p.dtype)
    per_text = torch.zeros_like(count).index_add(0, text_of_image, log_p) / count
    return (to_text - per_text.mean()) / 2
