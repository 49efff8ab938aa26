"""Output-space ensembles: average what two models say instead of what they are.

They cost two forward passes where :mod:`wiseft_tutorial.weights` costs one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from wiseft_tutorial._alpha import check_alpha
from wiseft_tutorial.errors import DataError

__all__ = ["ensemble_logits", "ensemble_probabilities", "random_choice"]


def ensemble_logits(
    logits_0: Tensor, logits_1: Tensor, alpha: float, *, extrapolate: bool = False
) -> Tensor:
    """Average the logits of two models: ``(1 - alpha) * logits_0 + alpha * logits_1``.

    For a linear classifier on a shared encoder this equals averaging the weights.

    Args:
        logits_0: Logits of the zero-shot model, (N, K).
        logits_1: Logits of the fine-tuned model on the same images, (N, K).
        alpha: The mixing coefficient; 0 gives ``logits_0`` and 1 gives ``logits_1``.
        extrapolate: Allow ``alpha`` outside [0, 1].

    Returns:
        Logits of the ensemble, (N, K). A class that both models mask with ``-inf`` stays masked.

    Raises:
        DataError: The two tensors have different shapes.
        AlphaError: ``alpha`` lies outside [0, 1] without ``extrapolate=True``.

    Source: section 3 and appendix C.3.1. Explained in: chapter 8.
    """
    alpha = check_alpha(alpha, extrapolate=extrapolate)
    _check_same_shape(logits_0, logits_1)
    if alpha in (0.0, 1.0):  # 0 times -inf, a masked class, would be NaN
        return (logits_1 if alpha else logits_0).clone()
    average = (1 - alpha) * logits_0 + alpha * logits_1
    # Where the models agree there is nothing to average; so -inf stays, also where alpha > 1.
    return torch.where(logits_0 == logits_1, logits_0, average)


def ensemble_probabilities(logits_0: Tensor, logits_1: Tensor, alpha: float) -> Tensor:
    """Average the probabilities of two models: the softmax ensemble.

    Args:
        logits_0: Logits of the zero-shot model, (N, K).
        logits_1: Logits of the fine-tuned model on the same images, (N, K).
        alpha: The mixing coefficient in [0, 1]; probabilities cannot be extrapolated.

    Returns:
        Probabilities, (N, K), each row summing to 1.

    Raises:
        DataError: The two tensors have different shapes.
        AlphaError: ``alpha`` lies outside [0, 1].

    Source: appendix C.3.3, figure 13. Explained in: chapter 8.
    """
    alpha = check_alpha(alpha)
    _check_same_shape(logits_0, logits_1)
    return (1 - alpha) * logits_0.softmax(dim=-1) + alpha * logits_1.softmax(dim=-1)


def random_choice(logits_0: Tensor, logits_1: Tensor, alpha: float, *, seed: int = 0) -> Tensor:
    """For each image, the logits of one of two models, drawn by lot.

    Its accuracy is, in expectation, on the straight line between those of the two models: what can
    be had without averaging anything.

    Args:
        logits_0: Logits of the zero-shot model, (N, K).
        logits_1: Logits of the fine-tuned model on the same images, (N, K).
        alpha: The probability of the fine-tuned model, in [0, 1].
        seed: Of the lots. With the same one, who draws the fine-tuned model at some alpha draws it
            at every larger one.

    Returns:
        Logits, (N, K), each row taken whole from one of the two.

    Raises:
        DataError: The two tensors have different shapes.
        AlphaError: ``alpha`` lies outside [0, 1].

    Source: appendix C.3.3, figure 13. Explained in: chapter 8.
    """
    alpha = check_alpha(alpha)
    _check_same_shape(logits_0, logits_1)
    lots = torch.rand(len(logits_0), 1, generator=torch.Generator().manual_seed(seed))
    return torch.where(lots.to(logits_0.device) < alpha, logits_1, logits_0)


def _check_same_shape(logits_0: Tensor, logits_1: Tensor) -> None:
    if logits_0.shape != logits_1.shape:
        raise DataError(
            f"logits_0 and logits_1 have shapes {tuple(logits_0.shape)} and "
            f"{tuple(logits_1.shape)}; both models must see the same images and name the same "
            "classes"
        )
