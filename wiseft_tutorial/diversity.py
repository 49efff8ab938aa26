"""How two models differ: what they disagree about, who wins, and how sure each of them is.

An ensemble can only gain where its members err on different images, and it gains if the one that is
right is also the more confident one. These are the paper's measures of both.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wiseft_tutorial.errors import DataError
from wiseft_tutorial.outputs import ensemble_logits

__all__ = [
    "Overrides",
    "cka_complement",
    "kappa_complement",
    "kl_divergence",
    "margin",
    "overrides",
    "prediction_diversity",
]


@dataclass(frozen=True)
class Overrides:
    """What an ensemble answers where its two members disagree; fractions of those images.

    Attributes:
        zeroshot: The ensemble sides with the zero-shot model: it *overrides*.
        finetuned: The ensemble sides with the fine-tuned model: zero-shot *is overridden*.
        neither: The ensemble gives a third answer.
        n: On how many images the members disagree.
    """

    zeroshot: float
    finetuned: float
    neither: float
    n: int


def prediction_diversity(logits_0: Tensor, logits_1: Tensor, labels: Tensor) -> float:
    """The fraction of images on which exactly one of two models is right.

    Args:
        logits_0: (N, K), of one model.
        logits_1: (N, K), of the other.
        labels: (N,) int64.

    Returns:
        PD, a fraction.

    Raises:
        DataError: There are no images, or shapes do not fit together.

    Source: appendix E, equations 4 and 5. Explained in: chapter 10.
    """
    first, second = _predictions(logits_0, logits_1)
    if labels.shape != first.shape:
        raise DataError(f"{len(labels)} labels for {len(first)} images")
    truth = labels.to(first.device)
    return float(((first == truth) ^ (second == truth)).double().mean())


def kappa_complement(logits_0: Tensor, logits_1: Tensor) -> float:
    """One minus Cohen's kappa: disagreement, measured by what chance would give.

    Args:
        logits_0: (N, K), of one model.
        logits_1: (N, K), of the other.

    Returns:
        CC: 0 if the models always agree, 1 if they agree as often as two independent ones would
        that give each class as often; more if they agree less often than that. Two models that
        give one and the same class to all images always agree.

    Raises:
        DataError: There are no images, or the shapes differ.

    Source: appendix E, equations 6 to 8. Explained in: chapter 10.
    """
    first, second = _predictions(logits_0, logits_1)
    n, classes = len(first), logits_0.shape[1]
    agree = float((first == second).double().mean())
    counts = (torch.bincount(p, minlength=classes).double() for p in (first, second))
    by_chance = float(torch.dot(*(count / n for count in counts)))
    return 0.0 if agree == 1 else (1 - agree) / (1 - by_chance)


def kl_divergence(logits_0: Tensor, logits_1: Tensor) -> float:
    """The mean of KL(p_0 || p_1) over images: nats lost by taking model 1 for model 0.

    The paper does not say which of its models comes first, and what it plots seems to be divided by
    the number of classes; this is its equation 9 as written.

    Args:
        logits_0: (N, K), of the model whose probabilities weigh the logarithms.
        logits_1: (N, K), of the other. A class that both models mask with ``-inf`` counts nothing.

    Returns:
        KL, in nats; infinite if model 1 rules out what model 0 allows.

    Raises:
        DataError: There are no images, or the shapes differ.

    Source: appendix E, equation 9. Explained in: chapter 10.
    """
    _predictions(logits_0, logits_1)
    log_p, log_q = (logits.double().log_softmax(dim=1) for logits in (logits_0, logits_1))
    terms = torch.where(log_p == -torch.inf, 0.0, log_p.exp() * (log_p - log_q))
    return float(terms.sum(dim=1).mean())


def cka_complement(features_0: Tensor, features_1: Tensor, *, limit: int = 10_000) -> float:
    """One minus the linear CKA of two representations of the same images.

    Two classifiers on one frozen encoder have the same features, so that what is compared has to be
    their outputs, (N, K) logits.

    Args:
        features_0: (N, D).
        features_1: (N, E), of the same images in the same order.
        limit: Of more images, so many are compared, evenly spaced.

    Returns:
        CKAC, between 0 for representations that are equal up to rotation, scale and offset, and 1.

    Raises:
        DataError: Not the same images, or a representation that is the same for all of them.

    Source: appendix E, equations 10 and 11. Explained in: chapter 10.
    """
    if features_0.ndim != 2 or features_1.ndim != 2 or len(features_0) != len(features_1):
        raise DataError(
            f"representations {tuple(features_0.shape)} and {tuple(features_1.shape)} do not "
            "belong together; expected (N, D) and (N, E)"
        )
    if len(features_0) < 2:
        raise DataError("representations are compared over two images or more")
    n = len(features_0)
    chosen = torch.linspace(0, n - 1, min(limit, n), dtype=torch.float64).round().long()
    a, b = (f[chosen.to(f.device)].double().cpu() for f in (features_0, features_1))
    a, b = a - a.mean(dim=0), b - b.mean(dim=0)
    within = torch.linalg.matrix_norm(a.T @ a) * torch.linalg.matrix_norm(b.T @ b)
    if within == 0:
        raise DataError("a representation is the same for all images, so it resembles nothing")
    return float(1 - torch.linalg.matrix_norm(b.T @ a) ** 2 / within)


def overrides(logits_0: Tensor, logits_1: Tensor, alpha: float = 0.5) -> Overrides:
    """Whose answer an output-space ensemble gives where its members disagree.

    Args:
        logits_0: (N, K), of the zero-shot model.
        logits_1: (N, K), of the fine-tuned model.
        alpha: The ensemble's mixing coefficient.

    Returns:
        The fractions. The paper speaks of a fraction of samples; its axes imply that they are those
        on which the two disagree.

    Raises:
        DataError: The two never disagree, there are no images, or the shapes differ.
        AlphaError: ``alpha`` lies outside [0, 1].

    Source: section 5.1, figure 5 (middle). Explained in: chapter 10.
    """
    first, second = _predictions(logits_0, logits_1)
    together = ensemble_logits(logits_0, logits_1, alpha).argmax(dim=1)
    apart = first != second
    n = int(apart.sum())
    if n == 0:
        raise DataError("the two models never disagree, so that neither overrides the other")
    wins, losses = (int((together == side)[apart].sum()) for side in (first, second))
    return Overrides(wins / n, losses / n, (n - wins - losses) / n, n)


def margin(logits: Tensor) -> Tensor:
    """By how much each image's largest logit exceeds its second-largest: how sure the model is.

    Args:
        logits: (N, K), with K of at least 2.

    Returns:
        (N,): the margins; their mean is the paper's delta.

    Raises:
        DataError: There are fewer than two classes.

    Source: section 5.1, figure 5 (right). Explained in: chapter 10.
    """
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise DataError(f"a margin needs logits (N, K) of two classes, not {tuple(logits.shape)}")
    top = logits.topk(2, dim=1).values
    return top[:, 0] - top[:, 1]


def _predictions(logits_0: Tensor, logits_1: Tensor) -> tuple[Tensor, Tensor]:
    if logits_0.ndim != 2 or logits_0.shape != logits_1.shape or len(logits_0) == 0:
        raise DataError(
            f"logits {tuple(logits_0.shape)} and {tuple(logits_1.shape)} do not fit together; "
            "expected (N, K) twice, of the same images and with N > 0"
        )
    return logits_0.argmax(dim=1), logits_1.to(logits_0.device).argmax(dim=1)
