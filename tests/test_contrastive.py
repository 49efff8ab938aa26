"""The contrastive loss: CLIP's where captions differ, and fair where some are the same."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from wiseft_tutorial.contrastive import contrastive_loss


def _unit(n: int, seed: int) -> torch.Tensor:
    x = torch.randn(n, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return F.normalize(x, dim=-1)


def test_with_distinct_captions_the_loss_is_clips() -> None:
    images, texts, scale = _unit(6, 0), _unit(6, 1), torch.tensor(7.0, dtype=torch.float64)
    logits, own = scale * images @ texts.T, torch.arange(6)
    expected = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
    torch.testing.assert_close(contrastive_loss(images, texts, own, scale), expected)


def test_a_repeated_caption_counts_once() -> None:
    """One caption on all images leaves nothing to predict from image to text."""
    images, text = _unit(5, 0), _unit(1, 1)
    loss = contrastive_loss(images, text, torch.zeros(5, dtype=torch.int64), torch.tensor(0.0))
    torch.testing.assert_close(loss, torch.tensor(5.0, dtype=torch.float64).log() / 2)
